using System.Diagnostics;
using System.Globalization;
using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Randomness;
using Attune.Torch.Models;
using Attune.Torch.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Bench;

/// <summary>
/// Training speed as a share of what this machine's matrix product reaches in the same process: 6 × parameters × real
/// tokens / time / ceiling. A step is forward, backward and AdamW.
/// </summary>
internal static class TrainSpeed
{
    public static int Run(string[] args)
    {
        TorchRuntime.Initialise(args is [var threads, ..] ? int.Parse(threads, CultureInfo.InvariantCulture) : null);
        Console.WriteLine(TorchRuntime.Description);
        var large = new DecoderConfig
        {
            VocabularySize = 4096, HiddenSize = 256, IntermediateSize = 1024, Layers = 7, Heads = 4, KeyValueHeads = 2, HeadSize = 64,
            ContextLength = 256, TiedEmbeddings = true,
        };
        var small = new DecoderConfig
        {
            VocabularySize = 2000, HiddenSize = 128, IntermediateSize = 384, Layers = 4, Heads = 4, KeyValueHeads = 2, HeadSize = 32,
            ContextLength = 256, TiedEmbeddings = true,
        };
        Measure("8 M, 16 rows of 256", large, Enumerable.Repeat(256, 16), steps: 6);
        Measure("1 M, short rows, 4,096 tokens", small, ShortRows(4096), steps: 30);
        Measure("1 M, short rows, 2,048 tokens", small, ShortRows(2048), steps: 60);
        return 0;
    }

    private static IEnumerable<int> ShortRows(int tokens)
    {
        var stream = RandomStream.Of(1, "bench", "rows");
        while (tokens > 0)
        {
            var length = Math.Min(tokens, stream.Between(40, 250));
            tokens -= length;
            yield return length;
        }
    }

    private static void Measure(string name, DecoderConfig config, IEnumerable<int> lengths, int steps)
    {
        using var scope = NewDisposeScope();
        var random = RandomStream.Of(1, "bench", "tokens");
        using var stream = TokenStream.Of(RaggedBatch.Of([.. lengths.Select(n => Enumerable.Range(0, n).Select(_ => random.Next(config.VocabularySize)).ToArray())]));
        using var decoder = new Decoder(config);
        decoder.Initialise(1);
        var optimizer = optim.AdamW(decoder.parameters(), 1e-3);

        var ceiling = Ceiling();
        double best = double.MaxValue, total = 0;
        var loss = 0f;
        TimeSpan forward = default, backward = default, update = default;
        for (var step = -2; step < steps; step++)
        {
            using var inner = NewDisposeScope();
            var start = Stopwatch.GetTimestamp();
            var negative = -decoder.TokenLogProbs(decoder.Hidden(stream), stream.Targets_N, even: true).sum() / stream.Tokens;
            var forwarded = Stopwatch.GetTimestamp();
            negative.backward();
            var backwarded = Stopwatch.GetTimestamp();
            optimizer.step();
            optimizer.zero_grad();
            var updated = Stopwatch.GetTimestamp();
            if (step < 0)
                continue;
            forward += Stopwatch.GetElapsedTime(start, forwarded);
            backward += Stopwatch.GetElapsedTime(forwarded, backwarded);
            update += Stopwatch.GetElapsedTime(backwarded, updated);
            var seconds = Stopwatch.GetElapsedTime(start, updated).TotalSeconds;
            (best, total, loss) = (Math.Min(best, seconds), total + seconds, negative.item<float>());
        }
        ceiling = Math.Max(ceiling, Ceiling());

        var work = 6e-9 * config.Parameters * stream.Tokens;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name}: {config.Parameters / 1e6:F2} M parameters, {stream.Tokens} tokens, ceiling {ceiling:F0} GFLOP/s, {stream.Tokens * steps / total:F0} tok/s, share {work * steps / total / ceiling:P1} (best step {work / best / ceiling:P1}); forward {forward.TotalMilliseconds / steps:F1} ms, backward {backward.TotalMilliseconds / steps:F1}, update {update.TotalMilliseconds / steps:F1}; loss {loss:F4}"));
    }

    /// <summary>Best of ten float32 products of 2048³, GFLOP/s.</summary>
    internal static double Ceiling()
    {
        using var scope = NewDisposeScope();
        var (a, b) = (rand(2048, 2048), rand(2048, 2048));
        var best = double.MaxValue;
        for (var i = 0; i < 10; i++)
        {
            var start = Stopwatch.GetTimestamp();
            using var c = a.matmul(b);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return 2 * 2048.0 * 2048 * 2048 / best / 1e9;
    }
}
