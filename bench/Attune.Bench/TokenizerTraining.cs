using System.Diagnostics;
using System.Globalization;
using System.Text;
using Attune.Core.Tokens;
using Attune.Testing;

namespace Attune.Bench;

/// <summary>
/// Training a tokenizer on more text than a test has: the reference corpora, over and over, up to a size. Memory must not
/// grow with it, and the merges must be those of one copy: k copies multiply every count by k, so with k times the least
/// frequency nothing else may change.
/// </summary>
internal static class TokenizerTraining
{
    public static int Run(string[] args)
    {
        if (args is [var file, ..] && File.Exists(file))
        {
            Console.WriteLine("| text | threads | seconds | MB/s | peak memory, MB | merges |\n|---|---:|---:|---:|---:|---|");
            Measure(File.ReadLines(file).Select(l => l + "\n"), 1, new FileInfo(file).Length, 0, out _);
            return 0;
        }
        var megabytes = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 300;
        var lines = SharedData.Files("*", "data", "corpora").SelectMany(File.ReadLines).Where(l => l.Length > 0).Select(l => l + "\n").ToArray();
        if (lines.Length == 0)
        {
            Console.Error.WriteLine("No corpora: set ATTUNE_SHARED.");
            return 1;
        }
        var copy = lines.Sum(l => (long)Encoding.UTF8.GetByteCount(l));
        var copies = (int)Math.Max(1, megabytes * 1_000_000L / copy);
        Console.WriteLine("| text | threads | seconds | MB/s | peak memory, MB | merges |");
        Console.WriteLine("|---|---:|---:|---:|---:|---|");
        var one = Measure(lines, 1, copy, 0, out _);
        var many = Measure(lines, copies, copy, 0, out var seconds);
        var single = Measure(lines, copies, copy, 1, out var alone);
        Console.WriteLine();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"All threads against one: {alone / seconds:F2} times as fast. The merges of {copies} copies are {(many == one && single == one ? "" : "NOT ")}those of one."));
        return many == one && single == one ? 0 : 1;
    }

    private static string Measure(IEnumerable<string> lines, int copies, long copy, int threads, out double seconds)
    {
        var options = new BpeTrainerOptions { VocabularySize = 8192, MinFrequency = 2 * copies, Threads = threads };
        var clock = Stopwatch.StartNew();
        var tokenizer = BpeTrainer.Train(Enumerable.Range(0, copies).SelectMany(_ => lines), options);
        seconds = clock.Elapsed.TotalSeconds;
        using var process = Process.GetCurrentProcess();
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"| {copies} × {copy / 1e6:F1} MB = {copies * copy / 1e6:F0} MB | {(threads == 0 ? Environment.ProcessorCount : threads)} | {seconds:F1} | {copies * copy / 1e6 / seconds:F1} | {process.PeakWorkingSet64 / 1e6:F0} | {tokenizer.Digest[..12]} |"));
        return tokenizer.Digest;
    }
}
