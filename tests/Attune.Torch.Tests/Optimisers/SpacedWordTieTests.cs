using Attune.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Tests.Optimisers;

public class SpacedWordTieTests
{
    private const int Vocabulary = 12, Size = 8;
    private static readonly (int Spaced, int Bare)[] Pairs = [(7, 1), (9, 4), (3, 10)];

    /// <summary>The tie is a parametrisation: E[bare] = w, E[spaced] = w + s, trained as autograd would train w and s.</summary>
    [Fact]
    public void Steps_AreThoseOfAModelThatHasOneVectorAWord_AndOneOffset()
    {
        using var scope = NewDisposeScope();
        using var start = randn([Vocabulary, Size], generator: new Generator(3));
        using var inputs = randn([16, Size], generator: new Generator(4));
        var labels = arange(16).remainder(Vocabulary);

        var held = start.clone().requires_grad_();
        var tie = new SpacedWordTie([held], Pairs);
        using var optimiser = new Optimiser([new("embedding", held)], new(), tie);
        tie.Hold();

        var free = start.clone().requires_grad_();
        var offset = zeros(Size, requires_grad: true);
        using var reference = new Optimiser([new("embedding", free), new("offset", offset)], new());

        for (var step = 1; step <= 20; step++)
        {
            Loss(held, inputs, labels).backward();
            Loss(Composed(free, offset), inputs, labels).backward();
            optimiser.Step(step, 0.05);
            reference.Step(step, 0.05);
            optimiser.ZeroGradients();
            reference.ZeroGradients();
            Assert.Equal(0, (held - Composed(free, offset)).abs().max().item<float>(), 2e-5);
        }
        Assert.True(offset.abs().min().item<float>() > 1e-3, "The offset was trained.");
    }

    [Fact]
    public void Offsets_AreTrainedAndKeptWithTheOptimiser_OneForEachMatrix()
    {
        using var embedding = randn([Vocabulary, Size]).requires_grad_();
        using var head = randn([Vocabulary, Size]).requires_grad_();
        using var optimiser = new Optimiser([new("a", embedding), new("b", head)], new(), new SpacedWordTie([embedding, head], Pairs));
        Assert.Equal(["a", "b", "spaced_word_offset.0", "spaced_word_offset.1"], optimiser.Parameters.Select(p => p.Name));
        Assert.Contains("adamw.first.spaced_word_offset.1", optimiser.State.Select(s => s.Name));
    }

    /// <summary>A language without spaces has no such words: then nothing is tied, and nothing fails.</summary>
    [Fact]
    public void Nothing_IsTiedWhereThereAreNoWords()
    {
        using var scope = NewDisposeScope();
        var matrix = randn([Vocabulary, Size]).requires_grad_();
        var before = matrix.detach().clone();
        using var optimiser = new Optimiser([new("embedding", matrix)], new(), new SpacedWordTie([matrix], []));
        matrix.sum().backward();
        optimiser.Step(1, 0.5);
        Assert.Equal(0, (matrix - before + 0.5).abs().max().item<float>(), 1e-4);
    }

    private static Tensor Loss(Tensor matrix, Tensor inputs, Tensor labels) => nn.functional.cross_entropy(inputs.matmul(matrix.t()), labels);

    // The spaced rows of the free matrix are used nowhere.
    private static Tensor Composed(Tensor free, Tensor offset)
    {
        var rows = Enumerable.Range(0, Vocabulary).Select(i => Array.FindIndex(Pairs, p => p.Spaced == i) is var at and >= 0 ? free[Pairs[at].Bare] + offset : free[i]);
        return stack(rows.ToArray());
    }
}
