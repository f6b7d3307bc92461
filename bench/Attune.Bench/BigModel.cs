using System.Globalization;
using System.Text.Json;
using Attune.Torch.Models;
using Attune.Torch.Stages;

namespace Attune.Bench;

/// <summary>
/// A model of the size people have (<see cref="BigCheckpoint"/>) through its whole life: imported into a store, two SFT
/// steps of 512 tokens with adapters over it, merged, stored, exported. Every part runs in a process of its own, whose peak
/// of resident memory, mapped pages included, is held against what was predicted before it started.
/// </summary>
internal static class BigModel
{
    private const int Tokens = 512, Steps = 2;

    private sealed record Way(string Name, BaseWeights Weights, bool Recompute, double LimitGb);

    private static readonly Way[] Ways =
    [
        new("LoRA on bf16", BaseWeights.Bf16, false, 12), new("LoRA on bf16, recompute", BaseWeights.Bf16, true, 12),
        new("QLoRA on int8", BaseWeights.Int8, false, 6), new("QLoRA on int8, recompute", BaseWeights.Int8, true, 6),
        new("QLoRA on int4, recompute", BaseWeights.Int4, true, 6),
    ];

    public static int Run(string[] args)
    {
        if (args is ["part", .. var part])
            return Part(part);

        var work = Directory.CreateTempSubdirectory("attune-big-").FullName;
        try
        {
            Tell($"wrote {Gb(BigCheckpoint.Write(Path.Combine(work, "parent")))}");
            BigCheckpoint.WriteTalks(Path.Combine(work, "talks.jsonl"), Path.Combine(work, "parent"), Steps, Tokens);
            var import = InAProcess("import", work);
            Tell($"import: {import.Seconds:F0} s, peak {Gb(import.PeakBytes)}");
            Console.WriteLine("| way | predicted peak | measured peak | off by | limit | loading | steps | merging and storing | exporting | loaded in | step of 512 tokens | share of the ceiling | merged and stored in | exported in |");
            Console.WriteLine("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
            var failed = false;
            for (var i = 0; i < Ways.Length; i++)
                failed |= !Measure(i, work);
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"\nImport: {import.Seconds:F0} s, peak {Gb(import.PeakBytes)}."));
            return failed ? 1 : 0;
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private static SftOptions Options(int way, string work) => new()
    {
        Data = [Path.Combine(work, "talks.jsonl")],
        Lora = new() { Rank = 16, Alpha = 32 },
        BaseWeights = Ways[way].Weights,
        Recompute = Ways[way].Recompute,
        SequenceLength = Tokens,
        MicroBatchTokens = Tokens,
        Steps = Steps,
        LearningRate = 1e-4,
    };

    // Whether it kept to the limit and to what was predicted.
    private static bool Measure(int i, string work)
    {
        var way = Ways[i];
        var plan = MemoryPlan.Of(BigCheckpoint.Config, Options(i, work), Tokens);
        var predicted = CostEstimate.Of(plan).TotalBytes;
        Tell($"{way.Name}: predicted {Gb(predicted)}");
        var run = InAProcess("sft", work, i.ToString(CultureInfo.InvariantCulture));
        var export = InAProcess("export", work);
        var peak = Math.Max(run.PeakBytes, export.PeakBytes);
        var off = (double)predicted / peak - 1;
        var share = plan.OperationsPerToken * Tokens / run.StepSeconds / 1e9 / run.CeilingGflops;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {way.Name} | {Gb(predicted)} | {Gb(peak)} | {off:+0.0%;-0.0%} | {way.LimitGb} GB | {Gb(run.LoadBytes)} | {Gb(run.StepBytes)} | {Gb(run.SaveBytes)} | {Gb(export.PeakBytes)} | {run.LoadSeconds:F0} s | {run.StepSeconds:F1} s | {share:P0} of {run.CeilingGflops:F0} GFLOP/s | {run.SaveSeconds:F0} s | {export.Seconds:F0} s |"));
        Tell($"{way.Name}: {run.Tokens} tokens in {Steps} steps, loss {run.Loss:F3}, peak {Gb(peak)}, anonymous {Gb(run.AnonymousBytes)}");
        return Math.Abs(off) <= 0.1 && peak <= way.LimitGb * 1e9;
    }

    private static int Part(string[] part)
    {
        Console.WriteLine(JsonSerializer.Serialize(part switch
        {
            ["import", var work] => BigParts.Import(work),
            ["sft", var work, var way] => BigParts.Sft(work, Options(int.Parse(way, CultureInfo.InvariantCulture), work)),
            ["export", var work] => BigParts.Export(work),
            _ => throw new ArgumentException("Not a part of this benchmark.", nameof(part)),
        }));
        return 0;
    }

    private static BigPart InAProcess(params string[] part) => JsonSerializer.Deserialize<BigPart>(OwnProcess.Run(["big", "part", .. part]))!;

    private static void Tell(FormattableString text) => Console.Error.WriteLine(FormattableString.Invariant(text));

    private static string Gb(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:F2} GB");
}
