using Attune.Core.Checkpoints;
using Attune.Core.Randomness;
using Attune.Inference.Kernels;

namespace Attune.Inference.Tests;

public sealed class EngineTests
{
    [Theory]
    [InlineData(nameof(TestModel.Small))]
    [InlineData(nameof(TestModel.Odd))]
    [InlineData(nameof(TestModel.Sliding))]
    [InlineData(nameof(TestModel.Gpt2))]
    [InlineData(nameof(TestModel.Parallel))]
    public void A_sequence_gets_the_same_bits_alone_in_a_batch_in_pieces_and_on_any_number_of_threads(string kind)
    {
        using var model = new TestModel((DecoderConfig)typeof(TestModel).GetProperty(kind)!.GetValue(null)!);
        using var weights = DecoderWeights.Load(model.Files);
        using var one = new InferenceEngine(weights, new() { Threads = 1 });
        var text = Text(weights.Config.VocabularySize, 150);
        var alone = one.Forward(text);

        using var three = new InferenceEngine(weights, new() { Threads = 3, MaxRows = 37 });
        Same(alone, three.Forward(text));

        // Token by token beside neighbours of other lengths, the prompt in ragged pieces.
        using var cache = three.NewCache();
        using var neighbour = three.NewCache();
        var got = new float[text.Length][];
        var random = RandomStream.Of(5, "pieces");
        for (var at = 0; at < text.Length;)
        {
            var take = Math.Min(1 + random.Next(random.Chance(0.5) ? 1 : 40), text.Length - at);
            var start = at;
            three.Run([new(neighbour, Text(weights.Config.VocabularySize, 1 + random.Next(3))), new(cache, text.AsMemory(at, take), LogitsWanted.All)],
                (input, position, logits) =>
                {
                    if (input == 1)
                        got[start + position] = logits.ToArray();
                });
            at += take;
        }
        Same(alone, got);
    }

    [Fact]
    public void A_text_that_crosses_the_original_window_of_longrope_is_turned_again_from_its_start()
    {
        using var model = new TestModel(TestModel.LongRope);
        using var weights = DecoderWeights.Load(model.Files);
        using var engine = new InferenceEngine(weights, new() { MaxRows = 16 });
        var text = Text(weights.Config.VocabularySize, 60);
        using var cache = engine.NewCache();
        for (var at = 0; at < text.Length; at++)
        {
            float[]? got = null;
            engine.Run([new(cache, text.AsMemory(at, 1))], (_, _, logits) => got = logits.ToArray());
            Assert.Equal(engine.Forward(text.AsSpan(0, at + 1))[^1], got);
        }
        cache.Truncate(20);
        float[]? shorter = null;
        engine.Run([new(cache, text.AsMemory(20, 10))], (_, _, logits) => shorter = logits.ToArray());
        Assert.Equal(engine.Forward(text.AsSpan(0, 30))[^1], shorter);
    }

    [Fact]
    public void A_truncated_cache_goes_on_as_if_the_rest_had_never_been()
    {
        using var model = new TestModel(TestModel.Odd);
        using var weights = DecoderWeights.Load(model.Files);
        using var engine = new InferenceEngine(weights);
        var text = Text(weights.Config.VocabularySize, 140);
        var whole = engine.Forward(text);
        using var cache = engine.NewCache();
        engine.Run([new(cache, text.AsMemory(0, 100), LogitsWanted.None)], (_, _, _) => Assert.Fail("no logits were wanted"));
        engine.Run([new(cache, Text(weights.Config.VocabularySize, 60, seed: 9))], (_, _, _) => { });
        cache.Truncate(100);
        float[]? last = null;
        engine.Run([new(cache, text.AsMemory(100))], (_, _, logits) => last = logits.ToArray());
        Assert.Equal(whole[^1], last);
        Assert.Equal(140, cache.Length);
    }

    [Fact]
    public unsafe void Every_vector_width_gives_the_same_bits()
    {
        var random = RandomStream.Of(3, "tiles");
        for (var round = 0; round < 60; round++)
        {
            var (rows, panels, k, add) = (1 + random.Next(6), 1 + random.Next(9), 1 + random.Next(70), random.Chance(0.5));
            using var a = Filled(random, rows * k);
            using var b = Filled(random, panels * k * Tile.Width);
            using var start = Filled(random, rows * panels * Tile.Width);
            var (w128, w256, w512) = (Run(Tile128.Multiply), Run(Tile256.Multiply), Run(Tile512.Multiply));
            Assert.Equal(w128, w256);
            Assert.Equal(w128, w512);
            Assert.Equal(Plain(a, b, start, rows, panels, k, add), w128);

            float[] Run(TileKernel kernel)
            {
                using var c = new NativeFloats(start.Length);
                start.Slice(0, (int)start.Length).CopyTo(c.Slice(0, (int)c.Length));
                kernel(a.Pointer, k, rows, b.Pointer, (nint)k * Tile.Width, panels, k, c.Pointer, panels * Tile.Width, add);
                return c.Slice(0, (int)c.Length).ToArray();
            }
        }
    }

    [Fact]
    public void Too_long_a_text_and_an_unknown_token_are_refused_before_anything_changes()
    {
        using var model = new TestModel(TestModel.Small);
        using var weights = DecoderWeights.Load(model.Files);
        using var engine = new InferenceEngine(weights);
        using var cache = engine.NewCache();
        var overflow = Assert.Throws<WindowOverflowException>(() => engine.Run([new(cache, new int[257])], (_, _, _) => { }));
        Assert.Equal((257, 256), (overflow.Tokens, overflow.Window));
        Assert.Equal("ATT6003", Assert.Throws<InferenceException>(() => engine.Run([new(cache, new[] { 1, 128 })], (_, _, _) => { })).Code);
        Assert.Throws<ArgumentException>(() => engine.Run([new(cache, new[] { 1 }), new(cache, new[] { 2 })], (_, _, _) => { }));
        Assert.Equal(0, cache.Length);
    }

    [Fact]
    public void A_workers_failure_reaches_the_caller_and_the_pool_lives_on()
    {
        using var pool = new WorkerPool(3);
        for (var round = 0; round < 50; round++)
        {
            Assert.Throws<InvalidOperationException>(() => pool.Run(worker =>
            {
                if (worker == round % 3)
                    throw new FormatException("on purpose");
                pool.Barrier();
            }));
            var sum = 0;
            pool.Run(worker =>
            {
                for (var i = 0; i < 20; i++)
                {
                    Interlocked.Add(ref sum, worker);
                    pool.Barrier();
                }
            });
            Assert.Equal(60, sum);
        }
    }

    private unsafe delegate void TileKernel(float* a, nint lda, int rows, float* b, nint panelStride, int panels, int k, float* c, nint ldc, bool add);

    private static NativeFloats Filled(RandomStream random, int count)
    {
        var floats = new NativeFloats(count);
        foreach (ref var x in floats.Slice(0, count))
            x = (float)random.NextGaussian();
        return floats;
    }

    private static float[] Plain(NativeFloats a, NativeFloats b, NativeFloats start, int rows, int panels, int k, bool add)
    {
        var result = new float[rows * panels * Tile.Width];
        Span<float> x = a.Slice(0, rows * k), w = b.Slice(0, panels * k * Tile.Width), c = start.Slice(0, result.Length);
        for (var r = 0; r < rows; r++)
        {
            for (var n = 0; n < panels * Tile.Width; n++)
            {
                var sum = add ? c[r * panels * Tile.Width + n] : 0;
                for (var i = 0; i < k; i++)
                    sum = MathF.FusedMultiplyAdd(x[r * k + i], w[(n / Tile.Width * k + i) * Tile.Width + n % Tile.Width], sum);
                result[r * panels * Tile.Width + n] = sum;
            }
        }
        return result;
    }

    private static int[] Text(int vocabulary, int length, long seed = 2)
    {
        var random = RandomStream.Of(seed, "text");
        return [.. Enumerable.Range(0, length).Select(_ => random.Next(vocabulary))];
    }

    private static void Same(float[][] want, float[][] got)
    {
        for (var i = 0; i < want.Length; i++)
            Assert.True(want[i].AsSpan().SequenceEqual(got[i]), FormattableString.Invariant($"row {i} differs"));
    }
}
