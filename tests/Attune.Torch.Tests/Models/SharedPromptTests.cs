using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Torch.Models;
using Attune.Torch.Native;
using Attune.Torch.Optimisers;
using Attune.Torch.Stages;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Tests.Models;

/// <summary>A prompt that is computed once for two completions gives what it gives when each row has its own.</summary>
public sealed class SharedPromptTests
{
    public SharedPromptTests() => TorchRuntime.Initialise(2);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void LossAndGradientsAreThoseOfWholeRows(bool kernels)
    {
        using var scope = NewDisposeScope();
        // Longer than a band of attention, shorter, and a prompt of one token, which leaves nothing to share.
        PairRow[] pairs = [Pair(70, 60, 3), Pair(5, 1, 90), Pair(1, 4, 7), Pair(49, 48, 48)];
        var whole = Gradients(kernels, Batches.OfPairs(pairs, [0, 1, 2, 3]));
        var batch = Batches.OfPairs(pairs, [0, 1, 2, 3], share: true);
        Assert.Equal(pairs.Sum(p => p.Tokens) - (69 + 4 + 0 + 48), batch.Tokens);
        AssertAgree(whole, Gradients(kernels, batch));
    }

    // A prompt of 30 whose completions end within longrope's first window and beyond it, either of them first.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void APromptThatTurnsTwoWaysIsComputedTwice(bool recompute)
    {
        using var scope = NewDisposeScope();
        var config = Config with { RopeScaling = new("longrope") { OriginalContext = 40, ShortFactors = [.. Enumerable.Repeat(1.1, 8)], LongFactors = [.. Enumerable.Repeat(3.5, 8)] } };
        PairRow[] pairs = [Pair(30, 5, 60), Pair(30, 60, 5), Pair(30, 4, 9), Pair(30, 40, 50)];
        var whole = Gradients(true, Batches.OfPairs(pairs, [0, 1, 2, 3]), config, recompute);
        var batch = Batches.OfPairs(pairs, [0, 1, 2, 3], share: true);
        Assert.NotNull(batch.Prefixes);
        AssertAgree(whole, Gradients(true, batch, config, recompute));
    }

    // DPO's equation is the Plackett–Luce likelihood of two.
    [Fact]
    public void ARankingOfTwoIsAPair()
    {
        using var scope = NewDisposeScope();
        PairRow[] pairs = [Pair(10, 6, 3), Pair(5, 1, 9)];
        ListRow[] lists = [.. pairs.Select(p => new ListRow { Rows = [p.Chosen, p.Rejected], Scores = [1, 0], PromptLength = p.PromptLength })];
        var (rows, starts) = Batches.OfRankings(lists, [0, 1], keepLast: 1);
        var objective = new DpoObjective("sigmoid", 0.5, SftWeight: 0.3);
        var (asPairs, asLists) = (new PairMeters(), new PairMeters());
        var decoder = New();
        var pair = DpoStep.Loss(decoder, objective, new PairBatch(Batches.OfPairs(pairs, [0, 1]), [-30, -5, -10, -30]), asPairs);
        var list = ListwiseStep.Loss(decoder, objective, new ListBatch(rows, starts, [-30, -10, -5, -30]), asLists);
        Compare.Absolute(pair, list, Tolerances.Loss, "loss");
        Assert.All(asPairs.Figures.Zip(asLists.Figures), f => Assert.Equal((f.First.Key, Math.Round(f.First.Value, 3)), (f.Second.Key, Math.Round(f.Second.Value, 3))));
    }

    [Fact]
    public void GroupsOfAnswersShareTheirPrompt()
    {
        var decoder = New();
        Rollout[] rollouts = [.. Enumerable.Range(0, 6).Select(i => new Rollout { Prompt = i % 2, Ids = [.. Row(20 + 30 * (i % 2), i % 2), .. Row(3 + 5 * i, 7 + i)], PromptLength = 20 + 30 * (i % 2), Ended = true })];
        Assert.Equal(rollouts.Sum(r => r.Ids.Length) - 2 * 19 - 2 * 49, Rollout.Batch(rollouts).Tokens);
        var together = RolloutScores.LogProbs(decoder, rollouts, 1, 4096);
        for (var i = 0; i < rollouts.Length; i++)
        {
            var alone = RolloutScores.LogProbs(decoder, [rollouts[i]], 1, 1)[0];
            Assert.Equal(rollouts[i].Length, alone.Length);
            Assert.All(alone.Zip(together[i]), p => Assert.Equal(p.First, p.Second, 1e-4f));
        }
    }

    private static void AssertAgree((Tensor Loss, Dictionary<string, Tensor> Gradients) whole, (Tensor Loss, Dictionary<string, Tensor> Gradients) shared)
    {
        Compare.Absolute(whole.Loss, shared.Loss, Tolerances.Loss, "loss");
        foreach (var (name, expected) in whole.Gradients)
        {
            var worst = (expected - shared.Gradients[name]).abs().max().item<float>();
            var largest = expected.abs().max().item<float>();
            Assert.True(worst <= 5 * Tolerances.Kernel * Math.Max(largest, 1e-3), FormattableString.Invariant($"{name}: {worst} of {largest}"));
        }
    }

    private static (Tensor Loss, Dictionary<string, Tensor> Gradients) Gradients(bool kernels, RaggedBatch batch, DecoderConfig? config = null, bool recompute = false)
    {
        var decoder = New(config);
        (decoder.Kernels, decoder.Body.Recompute) = (kernels, recompute);
        var loss = DpoStep.Loss(decoder, new DpoObjective("sigmoid", 0.5, SftWeight: 0.3), new PairBatch(batch, [.. Enumerable.Range(0, batch.Rows).Select(i => -300f + i)]), new PairMeters());
        loss.backward();
        return (loss.detach(), decoder.Weights().ToDictionary(w => w.Name, w => w.Value.grad!));
    }

    private static DecoderConfig Config { get; } = new() { VocabularySize = 50, HiddenSize = 32, IntermediateSize = 64, Layers = 2, Heads = 4, KeyValueHeads = 2, HeadSize = 16, ContextLength = 256, TiedEmbeddings = true, InitializerRange = 0.2 };

    private static Decoder New(DecoderConfig? config = null)
    {
        var decoder = new Decoder(config ?? Config);
        decoder.Initialise(3);
        return decoder;
    }

    private static PairRow Pair(int prompt, int chosen, int rejected) => new() { Chosen = Whole(prompt, chosen, 1), Rejected = Whole(prompt, rejected, 2), PromptLength = prompt };

    private static TokenRow Whole(int prompt, int completion, int salt) => new()
    {
        Ids = [.. Row(prompt, 0), .. Row(completion, salt)],
        Trained = [.. Enumerable.Repeat(false, prompt), .. Enumerable.Repeat(true, completion)],
        Origin = new RowOrigin("test", 1),
    };

    private static int[] Row(int length, int salt) => [.. Enumerable.Range(0, length).Select(i => (i * 7 + salt * 13) % 50)];
}
