using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Attune.Fuzz;

namespace Attune.Bench;

/// <summary>
/// Opens broken files by the million: seeded mutations of safetensors and their list of shards, GGUF, tokenizer.json and config.json, in process.
/// Every one must be opened or refused with a typed error, without allocating what it claims. A run of any length is
/// cut into pieces with --first: the n-th mutation is the same whenever it runs.
/// </summary>
internal static class FileFuzz
{
    public static int Run(string[] args)
    {
        var (count, first, seed) = (Number(args, "--count", 1_000_000), Number(args, "--first", 0), Number(args, "--seed", 1));
        var scratch = Directory.CreateDirectory(Path.Combine(Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(), $"attune-fuzz-{Guid.NewGuid():N}"));
        try
        {
            var targets = FuzzTargets.All(scratch.FullName);
            var outcomes = new ConcurrentDictionary<(string Target, string Outcome), long>();
            var faults = new ConcurrentQueue<string>();
            var clock = Stopwatch.StartNew();
            Parallel.For(first, first + count, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, () => Path.Combine(scratch.FullName, Guid.NewGuid().ToString("N")), (n, _, path) =>
            {
                // In turn, so that every piece of a run has all of them.
                var target = targets[(int)(n % targets.Count)];
                var outcome = target.Run(n, seed, path);
                if (outcome.StartsWith("FAULT", StringComparison.Ordinal))
                {
                    faults.Enqueue(string.Create(CultureInfo.InvariantCulture, $"{target.Name} {n}: {outcome}"));
                    outcome = "FAULT";
                }
                outcomes.AddOrUpdate((target.Name, outcome), 1, (_, old) => old + 1);
                return path;
            }, _ => { });

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{count} files from the {first}th on, seed {seed}: {faults.Count} faults, {clock.Elapsed.TotalSeconds:F0} s, peak memory {Process.GetCurrentProcess().PeakWorkingSet64 / 1e6:F0} MB"));
            Console.WriteLine();
            Console.WriteLine("| file | outcome | files |\n|---|---|---:|");
            foreach (var ((target, outcome), times) in outcomes.OrderBy(o => o.Key))
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {target} | {outcome} | {times} |"));
            foreach (var fault in faults.Take(50))
                Console.WriteLine(fault);
            return faults.IsEmpty ? 0 : 1;
        }
        finally
        {
            scratch.Delete(recursive: true);
        }
    }

    private static long Number(string[] args, string flag, long whenAbsent)
    {
        var at = Array.IndexOf(args, flag);
        return at >= 0 && at + 1 < args.Length ? long.Parse(args[at + 1], CultureInfo.InvariantCulture) : whenAbsent;
    }
}
