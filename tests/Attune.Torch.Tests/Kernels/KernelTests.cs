using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Randomness;
using Attune.Torch.Kernels;
using Attune.Torch.Models;
using Attune.Torch.Native;
using Attune.Torch.Stages;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Tests.Kernels;

/// <summary>The kernels against the plain path in float64: outputs and every gradient, over shapes that do not fit vectors or bands.</summary>
public sealed class KernelTests
{
    public KernelTests() => TorchRuntime.Initialise(2);

    public static TheoryData<int, int, int, int, int, int[]> Shapes => new()
    {
        // D, H, K, C, F, rows
        { 32, 4, 2, 8, 72, [1, 7, 33] },
        { 20, 2, 2, 6, 13, [5, 64, 65] },      // nothing divides the vector width
        { 24, 3, 1, 10, 40, [130, 1, 1, 2] },  // one key head for all
        { 16, 2, 1, 8, 24, [700, 500, 129] },  // more tokens than a tile
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Hidden_states_and_gradients_are_those_of_the_plain_path(int d, int h, int k, int c, int f, int[] rows)
    {
        using var scope = NewDisposeScope();
        var (fast, exact) = Pair(Config(d, h, k, c, f));
        using var stream = TokenStream.Of(Rows(rows));
        using var direction = randn(stream.Tokens, d);

        var fastHidden = fast.Hidden(stream);
        var exactHidden = exact.Hidden(stream);
        Compare.Relative(exactHidden, fastHidden, Tolerances.Kernel, "hidden");
        (fastHidden * direction).sum().backward();
        (exactHidden * direction.to(float64)).sum().backward();
        CompareGradients(exact, fast);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Computing_labelled_rows_alone_in_the_last_block_changes_nothing(int d, int h, int k, int c, int f, int[] rows)
    {
        foreach (var config in (DecoderConfig[])[Config(d, h, k, c, f), Config(d, h, k, c, f) with { Architecture = "Cohere2ForCausalLM", Norm = NormKind.LayerWithoutBias, NormPlacement = NormPlacement.Shared, ParallelResidual = true }])
        {
            // Every third token has a label; one row has none, as a shared prompt.
            var batch = Rows(rows, every: 3);
            Array.Fill(batch.Targets, RaggedBatch.Ignore, batch.Starts[^2], batch.Tokens - batch.Starts[^2]);
            foreach (var (kernels, recompute) in (ReadOnlySpan<(bool, bool)>)[(true, false), (true, true), (false, false), (false, true)])
            {
                using var scope = NewDisposeScope();
                var (fast, exact) = Pair(config);
                (fast.Kernels, fast.Body.Recompute) = (kernels, recompute);
                using var stream = TokenStream.Of(batch);
                using var weights = rand(stream.Tokens);

                Assert.NotNull(NeededRows.Labelled(batch));
                var (a, b) = (fast.LogProbs(batch), exact.TokenLogProbs(exact.Hidden(stream), stream.Targets_N));
                Compare.Relative(b, a, Tolerances.Kernel, "log-probabilities");
                (a * weights).sum().backward();
                (b * weights.to(float64)).sum().backward();
                CompareGradients(exact, fast);
            }
        }
    }

    [Fact]
    public void Where_nearly_every_row_has_a_label_none_is_picked()
    {
        Assert.Null(NeededRows.Labelled(Rows([50])));
        var none = Rows([50]);
        Array.Fill(none.Targets, RaggedBatch.Ignore);
        Assert.Null(NeededRows.Labelled(none));
    }

    public static TheoryData<string, DecoderConfig> Options => new()
    {
        { "fused matrices", Config(32, 4, 2, 8, 40) with { Architecture = "Phi3ForCausalLM" } },
        { "stretched positions", Config(32, 4, 2, 8, 40) with { RopeScaling = new("yarn") { Factor = 4, OriginalContext = 64 } } },
        { "a window that some rows outgrow", Config(32, 4, 2, 8, 40) with { Architecture = "MistralForCausalLM", SlidingWindow = 20, LayerAttentions = [LayerAttention.Sliding, LayerAttention.Sliding] } },
        { "one plus the weight", Config(32, 4, 2, 8, 40) with { Architecture = "Gemma2ForCausalLM", Norm = NormKind.RmsPlusOne, NormPlacement = NormPlacement.BeforeAndAfter, LogitSoftCap = 3 } },
    };

    [Theory]
    [MemberData(nameof(Options), DisableDiscoveryEnumeration = true)]
    public void Options_of_other_families_give_the_same_with_kernels_and_without(string what, DecoderConfig config)
    {
        using var scope = NewDisposeScope();
        var (fast, exact) = Pair(config);
        foreach (int[] lengths in (int[][])[[7, 33, 19], [5, 18]])
        {
            fast.zero_grad();
            exact.zero_grad();
            using var stream = TokenStream.Of(Rows(lengths));
            var (a, b) = (fast.TokenLogProbs(fast.Hidden(stream), stream.Targets_N, even: true), exact.TokenLogProbs(exact.Hidden(stream), stream.Targets_N));
            Compare.Relative(b, a, Tolerances.Kernel, what);
            a.sum().backward();
            b.sum().backward();
            CompareGradients(exact, fast);
        }
    }

    [Theory]
    [InlineData(true, 0)] // gradients taken forward
    [InlineData(false, 0)] // probabilities kept
    [InlineData(false, 7)] // logits computed again, seven rows at a time
    public void Log_probabilities_and_gradients_are_those_of_the_plain_path(bool even, int logitRows)
    {
        using var scope = NewDisposeScope();
        var (fast, exact) = Pair(Config(24, 3, 1, 8, 40));
        fast.LogitRows = logitRows;
        using var stream = TokenStream.Of(Rows([40, 3, 1, 90, 1100], every: 3));
        var (a, b) = (fast.TokenLogProbs(fast.Hidden(stream), stream.Targets_N, even), exact.TokenLogProbs(exact.Hidden(stream), stream.Targets_N));
        Compare.Relative(b, a, Tolerances.Kernel, "log-probabilities");

        // Uneven weights must be right even where the caller said they would be even.
        var weights = linspace(-1, 2, stream.Tokens);
        (a * weights).sum().backward();
        (b * weights.to(float64)).sum().backward();
        CompareGradients(exact, fast);
    }

    [Fact]
    public void Cross_entropy_by_the_early_gradient_is_that_of_the_plain_path()
    {
        using var scope = NewDisposeScope();
        var (fast, exact) = Pair(Config(24, 3, 3, 8, 40));
        using var stream = TokenStream.Of(Rows([40, 3, 1, 90]));
        (-fast.TokenLogProbs(fast.Hidden(stream), stream.Targets_N, even: true).sum() / 130).backward();
        (-exact.TokenLogProbs(exact.Hidden(stream), stream.Targets_N).sum() / 130).backward();
        CompareGradients(exact, fast);
    }

    [Fact]
    public void Frozen_parameters_get_no_gradient_and_the_others_the_same()
    {
        using var scope = NewDisposeScope();
        var (fast, exact) = Pair(Config(24, 3, 1, 8, 40));
        foreach (var (name, parameter) in fast.named_parameters())
            parameter.requires_grad = name.Contains("q_proj", StringComparison.Ordinal) || name.Contains("up_proj", StringComparison.Ordinal);
        using var stream = TokenStream.Of(Rows([30, 50]));
        fast.TokenLogProbs(fast.Hidden(stream), stream.Targets_N).sum().backward();
        exact.TokenLogProbs(exact.Hidden(stream), stream.Targets_N).sum().backward();

        var gradients = exact.named_parameters().ToDictionary(p => p.name, p => p.parameter.grad, StringComparer.Ordinal);
        foreach (var (name, parameter) in fast.named_parameters())
        {
            if (parameter.requires_grad)
                Compare.Relative(gradients[name]!, parameter.grad!, Tolerances.Kernel, name);
            else
                Assert.Null(parameter.grad);
        }
    }

    [Fact]
    public void Every_run_gives_the_same_bits_and_another_thread_count_the_same_numbers()
    {
        using var scope = NewDisposeScope();
        var (decoder, _) = Pair(Config(32, 4, 2, 8, 72));
        using var stream = TokenStream.Of(Rows([700, 30, 90, 500]));
        var first = Gradients();
        for (var again = 0; again < 3; again++)
            Assert.Equal(first, Gradients());
        try
        {
            // Slices are cut by the number of threads, and with them the order of sums over tokens.
            TorchRuntime.Initialise(3);
            var other = Gradients();
            Assert.Equal(first.Length, other.Length);
            var largest = first.Max(Math.Abs);
            Assert.All(first.Zip(other), pair => Assert.Equal(pair.First, pair.Second, Tolerances.Kernel * largest));
        }
        finally
        {
            TorchRuntime.Initialise(2);
        }

        float[] Gradients()
        {
            using var inner = NewDisposeScope();
            decoder.zero_grad();
            decoder.TokenLogProbs(decoder.Hidden(stream), stream.Targets_N, even: true).sum().backward();
            return [.. decoder.parameters().SelectMany(p => p.grad!.data<float>().ToArray())];
        }
    }

    [Fact]
    public void A_label_outside_the_vocabulary_is_refused_by_name()
    {
        using var scope = NewDisposeScope();
        var (fast, _) = Pair(Config(24, 3, 1, 8, 40));
        using var stream = TokenStream.Of(Rows([3]));
        using var wrong = tensor(new long[] { 1, 97, 2 });
        var fault = Assert.Throws<TorchException>(() => fast.TokenLogProbs(fast.Hidden(stream), wrong));
        Assert.Equal("ATT5011", fault.Code);
    }

    /// <summary>Leak gate: live tensors of this thread are as many after N steps as before.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Steps_leave_no_tensors_behind(bool kernels)
    {
        var (decoder, exact) = Pair(Config(24, 3, 1, 8, 40));
        using (exact)
        using (decoder)
        {
            decoder.Kernels = kernels;
            using var stream = TokenStream.Of(Rows([30, 50]));
            Step();
            var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
            for (var step = 0; step < 5; step++)
                Step();
            Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);

            void Step()
            {
                using var scope = NewDisposeScope();
                decoder.TokenLogProbs(decoder.Hidden(stream), stream.Targets_N, even: true).sum().backward();
                foreach (var parameter in decoder.parameters())
                    parameter.grad!.zero_();
                using var guard = no_grad();
                decoder.Logits(decoder.Hidden(stream));
            }
        }
    }

    [Fact]
    public void Other_types_take_the_plain_path()
    {
        using var scope = NewDisposeScope();
        var (fast, exact) = Pair(Config(32, 4, 2, 8, 72));
        using var stream = TokenStream.Of(Rows([30, 50]));
        fast.to(bfloat16);
        var loss = -fast.TokenLogProbs(fast.Hidden(stream), stream.Targets_N).sum() / 78;
        var expected = -exact.TokenLogProbs(exact.Hidden(stream), stream.Targets_N).sum() / 78;
        loss.backward();

        Assert.Equal(ScalarType.Float32, loss.dtype);
        Assert.Equal(expected.item<double>(), loss.item<float>(), 0.1);
        Assert.Equal(ScalarType.BFloat16, fast.HeadWeight.grad!.dtype);
    }

    internal static DecoderConfig Config(int d, int h, int k, int c, int f) => new()
    {
        VocabularySize = 97, HiddenSize = d, IntermediateSize = f, Layers = 2, Heads = h, KeyValueHeads = k, HeadSize = c,
        ContextLength = 2048, TiedEmbeddings = true, InitializerRange = 0.3,
    };

    /// <summary>A decoder with kernels, and the same in float64, which only the plain path runs.</summary>
    private static (Decoder Fast, Decoder Exact) Pair(DecoderConfig config)
    {
        var (fast, exact) = (new Decoder(config), new Decoder(config));
        fast.Initialise(3);
        exact.Initialise(3);
        exact.to(float64);
        return (fast, exact);
    }

    private static RaggedBatch Rows(int[] lengths, int every = 1)
    {
        var random = RandomStream.Of(5, "test", "rows");
        int[][] rows = [.. lengths.Select(n => Enumerable.Range(0, n).Select(_ => random.Next(97)).ToArray())];
        return RaggedBatch.Of(rows, [.. rows.Select(r => r.Select((_, i) => i % every == 0).ToArray())]);
    }

    private static void CompareGradients(Decoder exact, Decoder fast)
    {
        var gradients = exact.named_parameters().ToDictionary(p => p.name, p => p.parameter.grad!, StringComparer.Ordinal);
        foreach (var (name, parameter) in fast.named_parameters())
            Compare.Relative(gradients[name], parameter.grad!, Tolerances.Kernel, name);
    }
}
