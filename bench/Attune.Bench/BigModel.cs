using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
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
/// A model of the size people have: 1.1 B parameters of TinyLlama's shape with random bfloat16 weights, written, read,
/// trained for two steps of 512 tokens with adapters over bf16 and over int8 weights, and written back merged. Each way
/// runs in a process of its own, whose peak memory (VmHWM: mapped pages included) is predicted before it starts.
/// </summary>
internal static class BigModel
{
    private const int Tokens = 512;

    private static readonly DecoderConfig Config = new()
    {
        VocabularySize = 32_000, HiddenSize = 2048, IntermediateSize = 5632, Layers = 22, Heads = 32, KeyValueHeads = 4, HeadSize = 64,
        ContextLength = 2048, BosTokenId = 1, EosTokenIds = [2], Dtype = "bfloat16",
    };

    private static readonly (string Name, BaseWeights Weights, bool Recompute, double LimitGb)[] Ways =
        [("LoRA on bf16", BaseWeights.Bf16, false, 12), ("QLoRA on int8", BaseWeights.Int8, false, 6), ("QLoRA on int8, recompute", BaseWeights.Int8, true, 6), ("QLoRA on int4, recompute", BaseWeights.Int4, true, 6)];

    private sealed record Measured(double LoadSeconds, long LoadBytes, double StepSeconds, long StepBytes, double ExportSeconds, long PeakBytes, double Loss, double CeilingGflops);

    public static int Run(string[] args)
    {
        if (args is ["child", var way, var folder])
            return Child(Ways[int.Parse(way, CultureInfo.InvariantCulture)], folder);

        var work = args is [var given, ..] ? given : Directory.CreateTempSubdirectory("attune-big-").FullName;
        var failed = false;
        try
        {
            var parent = Path.Combine(work, "parent");
            if (!File.Exists(Path.Combine(parent, ModelFiles.Weights)))
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"wrote {Write(parent) / 1e9:F2} GB to {parent}"));
            var table = new StringBuilder("| way | predicted peak | measured peak | off by | limit | loaded | step of 512 tokens | share of the ceiling | export |\n|---|---|---|---|---|---|---|---|---|\n");
            for (var i = 0; i < Ways.Length; i++)
            {
                var (name, _, _, limit) = Ways[i];
                var plan = MemoryPlan.Of(Config, Options(Ways[i]), Tokens);
                var predicted = CostEstimate.Of(plan).TotalBytes;
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: predicted {predicted / 1e9:F2} GB"));
                var measured = InAProcess(i, work);
                var (off, share) = ((double)predicted / measured.PeakBytes - 1, plan.OperationsPerToken * Tokens / measured.StepSeconds / 1e9 / measured.CeilingGflops);
                failed |= Math.Abs(off) > 0.1 || measured.PeakBytes > limit * 1e9;
                table.Append(CultureInfo.InvariantCulture, $"| {name} | {predicted / 1e9:F2} GB | {measured.PeakBytes / 1e9:F2} GB | {off:+0.0%;-0.0%} | {limit} GB | {measured.LoadBytes / 1e9:F2} GB, {measured.LoadSeconds:F0} s | {measured.StepSeconds:F1} s | {share:P0} of {measured.CeilingGflops:F0} GFLOP/s | {measured.ExportSeconds:F0} s |\n");
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{name}: loss {measured.Loss:F3}, peak {measured.PeakBytes / 1e9:F2} GB"));
            }
            Console.Write(table);
            return failed ? 1 : 0;
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private static SftOptions Options((string Name, BaseWeights Weights, bool Recompute, double LimitGb) way) => new()
    {
        Lora = new() { Rank = 16, Alpha = 32 },
        BaseWeights = way.Weights,
        Recompute = way.Recompute,
        MicroBatchTokens = Tokens,
    };

    private static int Child((string Name, BaseWeights Weights, bool Recompute, double LimitGb) way, string folder)
    {
        TorchRuntime.Initialise();
        var clock = Stopwatch.StartNew();
        using var decoder = Tuning.Load(ModelFiles.OfFolder(Path.Combine(folder, "parent")), Options(way), "sft");
        using var optimiser = new Optimiser(OptimiserRules.Plan(decoder.Trained(), "adamw", 1, 0), new());
        var (load, loadBytes) = (clock.Elapsed.TotalSeconds, Peak());

        var random = RandomStream.Of(1, "bench", "tokens");
        var batch = RaggedBatch.Of([[.. Enumerable.Range(0, Tokens).Select(_ => random.Next(Config.VocabularySize))]]);
        var (step, loss) = (double.MaxValue, 0.0);
        for (var i = 1; i <= 2; i++)
        {
            clock.Restart();
            loss = SftStep.Run(decoder, optimiser, new UpdateSettings(i, 1e-4, 1), [batch]).Loss;
            step = Math.Min(step, clock.Elapsed.TotalSeconds);
        }
        var stepBytes = Peak();

        clock.Restart();
        var output = Path.Combine(folder, "out");
        decoder.SaveFolder(output);
        decoder.Lora!.Save(Path.Combine(output, "adapter"), "parent");
        var export = clock.Elapsed.TotalSeconds;
        Directory.Delete(output, recursive: true);
        var peak = Peak();
        Console.WriteLine(JsonSerializer.Serialize(new Measured(load, loadBytes, step, stepBytes, export, peak, loss, MatmulCeiling.PerSecond / 1e9)));
        return 0;
    }

    private static Measured InAProcess(int way, string folder)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!) { RedirectStandardOutput = true, UseShellExecute = false };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet")
            start.ArgumentList.Add(typeof(BigModel).Assembly.Location);
        foreach (var argument in (string[])["big", "child", way.ToString(CultureInfo.InvariantCulture), folder])
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var line = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? JsonSerializer.Deserialize<Measured>(line)! : throw new InvalidOperationException($"The process ended with {process.ExitCode}.");
    }

    /// <summary>Largest resident memory of this process so far: Linux's VmHWM, elsewhere the runtime's own figure.</summary>
    private static long Peak() => File.Exists("/proc/self/status") && File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)) is { } line
        ? 1024 * long.Parse(new string([.. line.Where(char.IsAsciiDigit)]), CultureInfo.InvariantCulture)
        : Process.GetCurrentProcess().PeakWorkingSet64;

    /// <summary>Writes the checkpoint tensor by tensor, uniform numbers of deviation .02, norms of one.</summary>
    private static long Write(string folder)
    {
        Directory.CreateDirectory(folder);
        HuggingFaceConfig.Write(Path.Combine(folder, ModelFiles.Config), Config);
        SafetensorsWriter.Write(Path.Combine(folder, ModelFiles.Weights), TensorNames.All(Config).Select(t => new TensorSource(t.Name, TensorType.BF16, t.Shape, stream =>
        {
            var random = RandomStream.Of(1, "bench", t.Name);
            var (left, buffer) = (t.Shape.Aggregate(1L, (a, b) => a * b), new ushort[1 << 16]);
            for (; left > 0; left -= buffer.Length)
            {
                var part = buffer.AsSpan(0, (int)Math.Min(left, buffer.Length));
                for (var i = 0; i < part.Length; i++)
                    part[i] = FloatConversion.ToBFloat16(t.Shape.Length == 1 ? 1 : (float)((2 * random.NextDouble() - 1) * 0.0346));
                stream.Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(part));
            }
        })));
        return new FileInfo(Path.Combine(folder, ModelFiles.Weights)).Length;
    }
}
