using System.Diagnostics;
using System.Globalization;
using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Randomness;
using Attune.Torch.Models;
using Attune.Torch.Native;
using Attune.Torch.Optimisers;
using Attune.Torch.Stages;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Bench;

/// <summary>
/// Training speed as a share of what this machine's matrix product reaches in the same process: 6 × parameters × real
/// tokens / time / ceiling. A step is the one that pretraining and SFT take: forward, backward, clipping, AdamW.
/// </summary>
/// <remarks>
/// On a machine that others use too, the clock says little. The share by processor time compares what the step and the
/// product cost rather than how long they waited; it is fair with one thread, where nobody spins for another.
/// </remarks>
internal static class TrainSpeed
{
    public static int Run(string[] args)
    {
        TorchRuntime.Initialise(args is [var threads, ..] ? int.Parse(threads, CultureInfo.InvariantCulture) : null);
        var factor = args is [_, var effort, ..] ? double.Parse(effort, CultureInfo.InvariantCulture) : 1;
        Console.WriteLine(TorchRuntime.Description);
        Measure("8 M, 16 rows of 256", Large, Enumerable.Repeat(256, 16), (int)(8 * factor));
        Measure("1 M, short rows", Small, ShortRows(4096), (int)(40 * factor));
        Measure("1 M, short rows", Small, ShortRows(2048), (int)(80 * factor));
        Measure("1 M, short rows, Muon (the quickstart's step)", Small, ShortRows(2048), (int)(80 * factor), "muon");
        return 0;
    }

    private static DecoderConfig Large { get; } = new()
    {
        VocabularySize = 4096, HiddenSize = 256, IntermediateSize = 1024, Layers = 7, Heads = 4, KeyValueHeads = 2, HeadSize = 64,
        ContextLength = 256, TiedEmbeddings = true,
    };

    private static DecoderConfig Small { get; } = new()
    {
        VocabularySize = 2000, HiddenSize = 128, IntermediateSize = 384, Layers = 4, Heads = 4, KeyValueHeads = 2, HeadSize = 32,
        ContextLength = 256, TiedEmbeddings = true,
    };

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

    private static void Measure(string name, DecoderConfig config, IEnumerable<int> lengths, int steps, string rule = "adamw")
    {
        using var scope = NewDisposeScope();
        var random = RandomStream.Of(1, "bench", "tokens");
        var batch = RaggedBatch.Of([.. lengths.Select(n => Enumerable.Range(0, n).Select(_ => random.Next(config.VocabularySize)).ToArray())]);
        using var decoder = new Decoder(config);
        decoder.Initialise(1);
        using var optimiser = new Optimiser(OptimiserRules.Plan(decoder.Weights(), rule, 0.4, 0.1), new());

        // A product after every step, so that whatever else the machine does hits both alike.
        var (costs, products, own, loss) = (new List<Cost>(), new List<Cost>(), new List<Cost>(), 0.0);
        var (x, y, z) = (rand(2048, 2048), rand(2048, 2048), empty(2048, 2048));
        for (var step = 1; step <= steps + 2; step++)
        {
            var cost = Cost.Of(() => loss = SftStep.Run(decoder, optimiser, new UpdateSettings(step, 1e-3, 1), [batch]).Loss);
            var product = Cost.Of(() => z.addmm_(x, y, beta: 0));
            var ours = Cost.Of(() => MatmulCeiling.Multiply(x, y, z));
            if (step <= 2)
                continue;
            costs.Add(cost);
            products.Add(product);
            own.Add(ours);
        }
        var update = Enumerable.Range(steps + 3, 20).Select(step => Cost.Of(() => optimiser.Step(step, 1e-6)));

        var (work, flops) = (6.0 * config.Parameters * batch.Tokens, 2 * 2048.0 * 2048 * 2048);
        var (best, ceiling) = (costs.Min(c => c.Seconds), products.Min(c => c.Seconds));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name}, {config.Parameters / 1e6:F2} M parameters, {batch.Tokens} tokens a step: product {flops / ceiling / 1e9:F0} GFLOP/s at best, {flops / Median(products) / 1e9:F0} in the middle, our own {flops / own.Min(c => c.Seconds) / 1e9:F0} and {flops / Median(own) / 1e9:F0}; {batch.Tokens / costs.Average(c => c.Seconds):F0} tok/s; share {Share(Median(costs), Median(products)):P1} (medians), {Share(best, ceiling):P1} (best step, best product), {Share(costs.Average(c => c.Seconds), ceiling):P1} (mean step, best product), by processor time {Share(costs.Min(c => c.Processor), products.Min(c => c.Processor)):P1}; of our own product {Share(Median(costs), Median(own)):P1} (medians); the update is {update.Min(c => c.Seconds) / best:P1} of the best step; loss {loss:F4}"));

        double Share(double step, double product) => work / step / (flops / product);
    }

    private static double Median(List<Cost> costs) => costs.Select(c => c.Seconds).Order().ElementAt(costs.Count / 2);

    /// <summary>What something took: on the clock and on all processors together, in seconds.</summary>
    private readonly record struct Cost(double Seconds, double Processor)
    {
        public static Cost Of(Action work)
        {
            using var process = Process.GetCurrentProcess();
            var (start, before) = (Stopwatch.GetTimestamp(), process.TotalProcessorTime);
            work();
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            process.Refresh();
            return new(seconds, (process.TotalProcessorTime - before).TotalSeconds);
        }
    }
}
