using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Randomness;
using Attune.Torch.Models;
using Attune.Torch.Native;
using Attune.Torch.Optimisers;
using Attune.Torch.Stages;

namespace Attune.Bench;

/// <summary>
/// What the two options that trade time for memory cost and save: <c>--recompute</c>, and <c>--logit-rows</c>, the rows of
/// logits that are held at once. SFT steps over the same tokens, every weight trained; all rows at once and no recompute is
/// the plain way. Each way is a process of its own; its peak is all its resident memory, weights and optimiser among it.
/// </summary>
internal static class MemoryOptions
{
    private const int Rows = 8, RowLength = 256, Steps = 6;

    private static DecoderConfig Shape { get; } = new()
    {
        VocabularySize = 32_000, HiddenSize = 512, IntermediateSize = 1536, Layers = 8, Heads = 8, KeyValueHeads = 8, HeadSize = 64, ContextLength = 512, TiedEmbeddings = true,
    };

    /// <summary>What one way takes.</summary>
    /// <param name="Seconds">Of the fastest step.</param>
    /// <param name="Bytes">The peak.</param>
    private sealed record Cost(double Seconds, long Bytes);

    public static int Run(string[] args)
    {
        if (args is ["way", var logitRows, var recomputed])
        {
            Console.WriteLine(JsonSerializer.Serialize(Measure(int.Parse(logitRows, CultureInfo.InvariantCulture), bool.Parse(recomputed))));
            return 0;
        }
        const int all = Rows * RowLength;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{Shape.Parameters / 1e6:F0} M parameters, vocabulary {Shape.VocabularySize}, {all} tokens a step; best of {Steps} steps.\n"));
        Console.WriteLine("| --logit-rows | --recompute | step | of the plain way | peak memory | of the plain way |");
        Console.WriteLine("|---|---|---|---|---|---|");
        Cost? plain = null;
        foreach (var recompute in (bool[])[false, true])
        {
            foreach (var rows in (int[])[all, 0, 64])
            {
                var cost = JsonSerializer.Deserialize<Cost>(OwnProcess.Run(["memory-options", "way", rows.ToString(CultureInfo.InvariantCulture), recompute.ToString()]))!;
                plain ??= cost;
                var name = rows switch { all => "all", 0 => "0, as the caches hold (default)", _ => rows.ToString(CultureInfo.InvariantCulture) };
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"| {name} | {(recompute ? "true" : "false (default)")} | {cost.Seconds * 1e3:F0} ms | {cost.Seconds / plain.Seconds:F2} | {cost.Bytes / 1e6:F0} MB | {(double)cost.Bytes / plain.Bytes:F2} |"));
            }
        }
        return 0;
    }

    private static Cost Measure(int logitRows, bool recompute)
    {
        TorchRuntime.Initialise();
        var random = RandomStream.Of(1, "bench", "tokens");
        var batch = RaggedBatch.Of([.. Enumerable.Range(0, Rows).Select(_ => Enumerable.Range(0, RowLength).Select(_ => random.Next(Shape.VocabularySize)).ToArray())]);
        using var decoder = new Decoder(Shape) { LogitRows = logitRows };
        decoder.Body.Recompute = recompute;
        decoder.Initialise(1);
        using var optimiser = new Optimiser(OptimiserRules.Plan(decoder.Trained(), "adamw", 1, 0), new());
        var best = double.MaxValue;
        for (var i = 1; i <= Steps; i++)
        {
            var start = Stopwatch.GetTimestamp();
            SftStep.Run(decoder, optimiser, new UpdateSettings(i, 1e-4, 1), [batch]);
            best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
        }
        return new(best, MemoryWatch.Highest());
    }
}
