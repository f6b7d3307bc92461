using System.Diagnostics;
using System.Globalization;
using System.Runtime.Intrinsics;
using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Versions;
using Attune.Inference;
using Attune.Inference.Kernels;
using Attune.Torch.Models;
using Attune.Torch.Native;
using Attune.Torch.Stages;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Bench;

/// <summary>
/// Decoding and prefill of the C# engine beside what bounds them, measured in the same process: memory bandwidth (a
/// batch of one reads every weight for one token) and the matrix product (a batch of many does not). libtorch's forward
/// over the same prompt is the peer for prefill.
/// </summary>
internal static class DecodeSpeed
{
    private const int Prompt = 384, Steps = 200;

    public static int Run(string[] args)
    {
        var threads = args is [var given, ..] ? int.Parse(given, CultureInfo.InvariantCulture) : Math.Min(2, Environment.ProcessorCount);
        TorchRuntime.Initialise(threads);
        var (triad, ceiling, own) = (Triad(threads), MatmulCeiling.PerSecond / 1e9, OwnProduct(threads));
        Print($"{threads} threads, vectors of {Tile.VectorBits} bits; triad {triad:F1} GB/s, matmul 2048³: libtorch {ceiling:F0} GFLOP/s, engine {own:F0}");
        foreach (var config in (DecoderConfig[])[
            new() { VocabularySize = 2000, HiddenSize = 128, IntermediateSize = 384, Layers = 4, Heads = 4, KeyValueHeads = 2, HeadSize = 32, ContextLength = 512, TiedEmbeddings = true },
            new() { VocabularySize = 4096, HiddenSize = 256, IntermediateSize = 1024, Layers = 7, Heads = 4, KeyValueHeads = 2, HeadSize = 64, ContextLength = 512, TiedEmbeddings = true }])
        {
            Measure(config, threads, triad, ceiling);
        }
        return 0;
    }

    private static void Measure(DecoderConfig config, int threads, double triad, double ceiling)
    {
        using var scope = NewDisposeScope();
        using var decoder = new Decoder(config);
        decoder.Initialise(1);
        var folder = Directory.CreateTempSubdirectory("attune-decode-").FullName;
        try
        {
            decoder.Save(Path.Combine(folder, ModelFiles.Weights));
            HuggingFaceConfig.Write(Path.Combine(folder, ModelFiles.Config), config);
            using var weights = DecoderWeights.Load(ModelFiles.OfFolder(folder));
            using var engine = new InferenceEngine(weights, new() { Threads = threads });
            var megabytes = config.Parameters * 4 / 1e6;
            Print($"{config.Parameters / 1e6:F2} M parameters ({megabytes:F1} MB)");
            foreach (var batch in (int[])[1, 4, 32])
            {
                var (rate, steps) = Decode(engine, batch);
                Print($"  decode, batch {batch,2}: {rate,7:F0} tok/s; weights read at {megabytes * steps / 1e3:F1} GB/s ({megabytes * steps / 1e3 / triad:P0} of triad), {2e-9 * config.Parameters * rate:F0} GFLOP/s ({2e-9 * config.Parameters * rate / ceiling:P0} of libtorch's matmul)");
            }
            var ids = Enumerable.Range(0, Prompt).Select(i => i % config.VocabularySize).ToArray();
            var engineSeconds = Best(() =>
            {
                using var cache = engine.NewCache();
                engine.Run([new(cache, ids, LogitsWanted.All)], (_, _, _) => { });
            });
            using var stream = TokenStream.Of(RaggedBatch.Of([ids]));
            using var quiet = inference_mode();
            var torchSeconds = Best(() =>
            {
                using var inner = NewDisposeScope();
                decoder.Logits(decoder.Hidden(stream));
            });
            Print($"  all logits of {Prompt} tokens: engine {Prompt / engineSeconds:F0} tok/s ({2e-9 * config.Parameters * Prompt / engineSeconds:F0} GFLOP/s), libtorch {Prompt / torchSeconds:F0} tok/s");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Tokens and steps per second of greedy decoding from a context of 16 to one of 216, best of three.</summary>
    private static (double Tokens, double Steps) Decode(InferenceEngine engine, int batch)
    {
        var best = double.MaxValue;
        for (var round = 0; round < 3; round++)
        {
            var caches = Enumerable.Range(0, batch).Select(_ => engine.NewCache()).ToArray();
            var next = new int[batch];
            engine.Run([.. caches.Select((c, i) => new SequenceInput(c, Enumerable.Range(i, 16).ToArray()))], (i, _, logits) => next[i] = Sampler.Best(logits));
            var inputs = new SequenceInput[batch];
            var start = Stopwatch.GetTimestamp();
            for (var step = 0; step < Steps; step++)
            {
                for (var i = 0; i < batch; i++)
                    inputs[i] = new(caches[i], new[] { next[i] });
                engine.Run(inputs, (i, _, logits) => next[i] = Sampler.Best(logits));
            }
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
            foreach (var cache in caches)
                cache.Dispose();
        }
        return (batch * Steps / best, Steps / best);
    }

    /// <summary>McCalpin's triad a = b + s·c over arrays far larger than the caches; three arrays counted, GB/s.</summary>
    private static unsafe double Triad(int threads)
    {
        const int length = 1 << 24;
        using var pool = new Inference.Kernels.WorkerPool(threads);
        using var a = new NativeFloats(length);
        using var b = new NativeFloats(length);
        using var c = new NativeFloats(length);
        var scale = Vector256.Create(3f);
        var seconds = Best(() => pool.Run(worker =>
        {
            float* x = a.Pointer, y = b.Pointer, z = c.Pointer;
            for (nint i = (nint)length / threads * worker, end = (nint)length / threads * (worker + 1); i < end; i += 8)
                Vector256.FusedMultiplyAdd(Vector256.Load(z + i), scale, Vector256.Load(y + i)).Store(x + i);
        }));
        return 3.0 * length * sizeof(float) / seconds / 1e9;
    }

    private static unsafe double OwnProduct(int threads)
    {
        const int n = 2048;
        using var pool = new Inference.Kernels.WorkerPool(threads);
        using var w = new PackedMatrix(n, n);
        using var a = new NativeFloats(n * n);
        using var c = new NativeFloats(n * n);
        Random(a.Slice(0, n * n));
        for (var row = 0; row < n; row++)
            w.SetRow(row, a.Slice(row * n, n));
        var seconds = Best(() => pool.Run(worker => w.Multiply(a.Pointer, n, n, c.Pointer, n, add: false, worker, threads)));
        return 2.0 * n * n * n / seconds / 1e9;

        static void Random(Span<float> values)
        {
            var random = Core.Randomness.RandomStream.Of(1, "bench", "product");
            foreach (ref var value in values)
                value = (float)random.NextDouble() - 0.5f;
        }
    }

    private static double Best(Action action)
    {
        var best = double.MaxValue;
        for (var i = 0; i < 10; i++)
        {
            var start = Stopwatch.GetTimestamp();
            action();
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return best;
    }

    private static void Print(FormattableString line) => Console.WriteLine(line.ToString(CultureInfo.InvariantCulture));
}
