using System.Diagnostics;
using System.Globalization;
using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Randomness;
using Attune.Core.Versions;
using Attune.Torch.Models;
using Attune.Torch.Native;
using Attune.Torch.Optimisers;
using Attune.Torch.Stages;

namespace Attune.Bench;

/// <summary>
/// What adapters cost: an SFT step that trains every weight, one whose adapters go into float32 weights (a fused block, the
/// full weight's gradient) and ones on the low-rank path over held weights, by width.
/// </summary>
internal static class LoraSpeed
{
    public static int Run(string[] args)
    {
        TorchRuntime.Initialise();
        Console.WriteLine("| width | tokens | every weight | adapters in the weights | low rank over bf16 | over int8 | over int8, recompute |");
        Console.WriteLine("|---|---|---|---|---|---|---|");
        foreach (var width in args is [] ? [128, 512, 1024] : args.Select(a => int.Parse(a, CultureInfo.InvariantCulture)))
            Measure(width);
        return 0;
    }

    private static void Measure(int width)
    {
        var config = new DecoderConfig
        {
            VocabularySize = 2048, HiddenSize = width, IntermediateSize = 3 * width, Layers = 4, Heads = width / 32, KeyValueHeads = width / 32, HeadSize = 32, ContextLength = 256,
        };
        var folder = Directory.CreateTempSubdirectory("attune-lora-").FullName;
        try
        {
            using (var made = new Decoder(config))
            {
                made.Initialise(1);
                made.SaveFolder(folder);
            }
            var random = RandomStream.Of(1, "bench", "tokens");
            var batch = RaggedBatch.Of([.. Enumerable.Range(0, 12).Select(_ => Enumerable.Range(0, random.Between(40, 250)).Select(_ => random.Next(2048)).ToArray())]);
            var adapters = new LoraOptions { Rank = 16 };
            string[] cells =
            [
                Step(new()), Step(new() { Lora = adapters }), Step(new() { Lora = adapters, BaseWeights = BaseWeights.Bf16 }),
                Step(new() { Lora = adapters, BaseWeights = BaseWeights.Int8 }), Step(new() { Lora = adapters, BaseWeights = BaseWeights.Int8, Recompute = true }),
            ];
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {width} | {batch.Tokens} | {string.Join(" | ", cells)} |"));

            string Step(SftOptions options)
            {
                using var decoder = Tuning.Load(ModelFiles.OfFolder(folder), options, "sft");
                using var optimiser = new Optimiser(OptimiserRules.Plan(decoder.Trained(), "adamw", 1, 0), new());
                var best = double.MaxValue;
                for (var i = 1; i <= 6; i++)
                {
                    var start = Stopwatch.GetTimestamp();
                    SftStep.Run(decoder, optimiser, new UpdateSettings(i, 1e-4, 1), [batch]);
                    best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalSeconds);
                }
                return string.Create(CultureInfo.InvariantCulture, $"{best * 1e3:F0} ms");
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
