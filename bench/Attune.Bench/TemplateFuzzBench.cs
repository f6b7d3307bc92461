using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Attune.Prompts;
using Attune.Testing;

namespace Attune.Bench;

/// <summary>
/// <c>attune bench template-fuzz [--count 1000000] [--start 0] [--seed 1] [--threads N]</c>: mutated templates over mutated
/// conversations under tight limits. Every case is (seed, index), so any of them can be run again alone:
/// <c>--start INDEX --count 1</c>. The first case that neither renders nor raises a typed error ends the run.
/// </summary>
internal static class TemplateFuzzBench
{
    private static readonly TemplateSettings Tight = new()
    {
        Limits = new() { MaxSteps = 200_000, MaxOutput = 200_000, MaxAllocation = 2_000_000 },
        SpecialTokens = new Dictionary<string, string>(StringComparer.Ordinal) { ["bos_token"] = "<s>", ["eos_token"] = "</s>", ["unk_token"] = "<unk>", ["pad_token"] = "<pad>" },
        Now = new DateTime(2025, 1, 15, 10, 20, 30),
    };

    public static int Run(string[] args)
    {
        var (count, start, seed) = (Number(args, "--count", 1_000_000), Number(args, "--start", 0), Number(args, "--seed", 1));
        var threads = Number(args, "--threads", Environment.ProcessorCount);
        List<string> templates = [BuiltInTemplates.ChatMl, BuiltInTemplates.Llama2, BuiltInTemplates.Llama3, BuiltInTemplates.Mistral, BuiltInTemplates.Gemma, BuiltInTemplates.Zephyr];
        if (SharedData.Root is not null)
            templates.AddRange(SharedData.Files("*.jinja", "templates", "jinja").Select(File.ReadAllText));
        var codes = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        var (gate, slowest, largest, next) = (new Lock(), (Time: 0.0, Index: 0), (Bytes: 0L, Index: 0), start - 1);
        string? fault = null;
        var clock = Stopwatch.StartNew();
        var workers = Enumerable.Range(0, threads).Select(_ => new Thread(Work, 1 << 20)).ToList();
        workers.ForEach(w => w.Start());
        workers.ForEach(w => w.Join());
        using var process = Process.GetCurrentProcess();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {seed} | {start:N0} to {start + count - 1:N0} | {codes.GetValueOrDefault("rendered"):N0} | {codes.Where(c => c.Key != "rendered").Sum(c => c.Value):N0} ({string.Join(", ", codes.Where(c => c.Key != "rendered").OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Key} {c.Value:N0}")))}) | {(fault is null ? 0 : 1)} | {slowest.Time:F0} ms (case {slowest.Index}) | {largest.Bytes / 1e6:F0} MB (case {largest.Index}) | {process.PeakWorkingSet64 / 1e6:F0} MB | {clock.Elapsed.TotalSeconds:F0} s |"));
        if (fault is not null)
            Console.Error.WriteLine(fault);
        return fault is null ? 0 : 1;

        void Work()
        {
            while (fault is null && Interlocked.Increment(ref next) is var index && index < start + count)
            {
                var (before, bytes) = (Stopwatch.GetTimestamp(), GC.GetAllocatedBytesForCurrentThread());
                try
                {
                    codes.AddOrUpdate(TemplateFuzz.Run(templates, seed, index, Tight) ?? "rendered", 1, (_, n) => n + 1);
                }
                catch (Exception e)
                {
                    fault = string.Create(CultureInfo.InvariantCulture, $"case {index} of seed {seed}: {e}");
                }
                var (time, made) = (Stopwatch.GetElapsedTime(before).TotalMilliseconds, GC.GetAllocatedBytesForCurrentThread() - bytes);
                if (time <= slowest.Time && made <= largest.Bytes)
                    continue;
                lock (gate)
                {
                    slowest = time > slowest.Time ? (time, index) : slowest;
                    largest = made > largest.Bytes ? (made, index) : largest;
                }
            }
        }
    }

    private static int Number(string[] args, string name, int otherwise) =>
        Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? int.Parse(args[at + 1], NumberStyles.AllowThousands, CultureInfo.InvariantCulture) : otherwise;
}
