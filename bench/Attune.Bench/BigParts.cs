using System.Diagnostics;
using Attune.Core.Exchange;
using Attune.Core.Versions;
using Attune.Torch.Stages;

namespace Attune.Bench;

/// <summary>The parts of <see cref="BigModel"/>, each in a process of its own: what the commands of the same names do.</summary>
internal static class BigParts
{
    private const string Parent = "big:parent", Child = "big:child";

    public static BigPart Import(string work)
    {
        var clock = Stopwatch.StartNew();
        var staging = Directory.CreateDirectory(Path.Combine(work, "staging")).FullName;
        var folder = Path.Combine(work, "parent");
        Store(work).Add(ModelImport.Draft(folder, "parent", new ImportOptions { Source = folder }, staging, RunIdentity.CodeVersion), Parent);
        return new() { Seconds = clock.Elapsed.TotalSeconds, PeakBytes = MemoryWatch.Highest() };
    }

    public static BigPart Sft(string work, SftOptions options)
    {
        using var watch = new MemoryWatch(5);
        var (clock, marks) = (Stopwatch.StartNew(), new List<(double Seconds, MemoryPeak Peak)>());
        void Mark() => marks.Add((clock.Elapsed.TotalSeconds, watch.Lap()));
        var run = Path.Combine(work, "run");
        var parent = Store(work).Resolve(Parent);
        var result = Torch.Stages.Sft.Run(options, new()
        {
            RunFolder = run, Parent = parent.Files, ParentDigest = parent.Digest, ParentKind = parent.Kind,
            Preflight = new Heard<StagePreflight>(_ => Mark()),
            Progress = new Heard<StageProgress>(_ => Mark()),
        });
        Store(work).Add(result.Draft, Child);
        Directory.Delete(run, recursive: true);
        Mark();
        var (load, steps, save) = (marks[0], marks[1..^1], marks[^1]);
        return new()
        {
            PeakBytes = MemoryWatch.Highest(),
            AnonymousBytes = marks.Max(m => m.Peak.Anonymous),
            LoadBytes = load.Peak.Resident,
            StepBytes = steps.Max(m => m.Peak.Resident),
            SaveBytes = save.Peak.Resident,
            Seconds = clock.Elapsed.TotalSeconds,
            LoadSeconds = load.Seconds,
            StepSeconds = marks[..^2].Zip(steps, (before, after) => after.Seconds - before.Seconds).Min(),
            SaveSeconds = save.Seconds - steps[^1].Seconds,
            Tokens = result.Facts.Tokens,
            Loss = result.Facts.Loss ?? double.NaN,
            CeilingGflops = MatmulCeiling.PerSecond / 1e9,
        };
    }

    public static BigPart Export(string work)
    {
        var clock = Stopwatch.StartNew();
        var folder = Path.Combine(work, "out");
        Store(work).Export(Child, folder);
        var seconds = clock.Elapsed.TotalSeconds;
        Directory.Delete(folder, recursive: true);
        Store(work).Untag(Child);
        Store(work).CollectGarbage();
        return new() { Seconds = seconds, PeakBytes = MemoryWatch.Highest() };
    }

    private static ModelStore Store(string work) => ModelStore.Open(Path.Combine(work, "store"));

    // Not Progress<T>, which tells on another thread, and later.
    private sealed class Heard<T>(Action<T> tell) : IProgress<T>
    {
        public void Report(T value) => tell(value);
    }
}
