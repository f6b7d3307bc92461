using System.Globalization;
using Attune.Core.Checkpoints;
using Attune.Core.Randomness;
using Attune.Core.Versions;
using Xunit;

namespace Attune.App.Tests;

/// <summary>
/// SIGKILL at any moment of any stage: the command is killed before its first step, between checkpoints, inside the write
/// of a checkpoint, of the finished model and of the store, is started again each time, and ends with the very version,
/// to the digest, of a run that nobody disturbed. Set ATTUNE_KILL_SEED for other moments.
/// </summary>
public sealed class KillTests : IDisposable
{
    private const int KillsOfAStage = 7;
    private const int MostRuns = 4;
    private const string Name = "t:version";
    private const string Base = "t:base";

    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(120);

    // A model large enough that writing it takes some milliseconds, steps small enough that a run takes about a second.
    private static readonly string[] Common = ["--store", "store", "--threads", "1", "--steps", "24", "--checkpoint-steps", "3", "--save-as", Name];

    private static readonly Dictionary<string, string[]> Stages = new(StringComparer.Ordinal)
    {
        ["pretrain"] = ["pretrain", "../text.jsonl", "--vocabulary-size", "320", "--sequence-length", "64", "--micro-batch-tokens", "128", "--optimiser", "muon", .. Common],
        ["sft"] = ["sft", "../talks.jsonl", "--parent", Base, "--sequence-length", "64", "--micro-batch-tokens", "128", .. Common],
        ["dpo"] = ["dpo", "../pairs.jsonl", "--parent", Base, "--sequence-length", "64", "--micro-batch-pairs", "2", "--learning-rate", "1e-4", .. Common],
    };

    // One after the other over one run; each kill costs at most the steps since the last checkpoint.
    private static readonly Moment[] Moments = [Moment.Start, Moment.Checkpoint, Moment.Between, Moment.Start, Moment.Checkpoint, Moment.Model, Moment.Store];

    private readonly Workplace _at = new();
    private readonly SemaphoreSlim _cores = new(2);
    private readonly long _seed = Environment.GetEnvironmentVariable("ATTUNE_KILL_SEED") is { Length: > 0 } given ? long.Parse(given, CultureInfo.InvariantCulture) : 7;

    private enum Moment { Start, Between, Checkpoint, Model, Store }

    private sealed record Undisturbed(string Weights, string Version, TimeSpan UntilFirstStep, TimeSpan BetweenCheckpoints);

    [Fact]
    public async Task KilledRunsEndWithTheSameBits()
    {
        Say($"seed {_seed}");
        var whole = new Dictionary<string, Undisturbed>(StringComparer.Ordinal) { ["pretrain"] = await UndisturbedAsync("pretrain") };
        ModelStore.Open(_at.PathOf("pretrain", "store")).Tag(Base, Name);
        foreach (var stage in new[] { "sft", "dpo" })
            whole[stage] = await UndisturbedAsync(stage);

        var kills = await Task.WhenAll(Stages.Keys.Select(stage => KillAsync(stage, whole[stage])));
        Assert.True(kills.Sum() >= 20);
    }

    private async Task<Undisturbed> UndisturbedAsync(string stage)
    {
        var folder = Prepare(stage, stage);
        using var checkpoints = Appearing(Path.Combine(folder, "run", "checkpoints"), name => !IsUnfinished(name));
        var clock = System.Diagnostics.Stopwatch.StartNew();
        using var command = AttuneCommand.Start(folder, [.. Stages[stage], "--run", "run"]);
        await checkpoints.SeenAsync(command);
        var first = clock.Elapsed;
        var result = await command.ResultAsync();
        Assert.True(result.ExitCode == 0, result.ToString());
        // Seven more checkpoints, the model and the store follow the first.
        return new(WeightsIn(folder), ModelStore.Open(Path.Combine(folder, "store")).Resolve(Name).Digest, first, (clock.Elapsed - first) / 9);
    }

    private async Task<int> KillAsync(string stage, Undisturbed whole)
    {
        var (kills, halves) = (0, 0);
        // A run that gets away (it ended before the signal came) makes room for another.
        for (var run = 0; (kills < KillsOfAStage || halves == 0) && run < MostRuns; run++)
        {
            await _cores.WaitAsync();
            try
            {
                var folder = Prepare(stage, string.Create(CultureInfo.InvariantCulture, $"{stage}-{run}"));
                var random = RandomStream.Of(_seed, "kill", string.Create(CultureInfo.InvariantCulture, $"{stage} {run}"));
                foreach (var moment in Moments)
                {
                    var (killed, half) = await KillOnceAsync(stage, folder, moment, whole, random);
                    (kills, halves) = (kills + killed, halves + half);
                }
                var result = await AttuneCommand.RunAsync(folder, [.. Stages[stage], "--run", "run"]);
                Assert.True(result.ExitCode == 0, result.ToString());
                Assert.Equal(whole.Weights, WeightsIn(folder));
                var store = ModelStore.Open(Path.Combine(folder, "store"));
                Assert.Equal(whole.Version, store.Resolve(Name).Digest);
                Assert.Empty(store.Verify());
            }
            finally
            {
                _cores.Release();
            }
        }
        Say($"{stage}: {kills} kills, {halves} of them inside a write; every run ended with {whole.Version[..19]}…");
        Assert.True(kills >= KillsOfAStage);
        Assert.True(halves > 0, "No kill landed inside a write.");
        return kills;
    }

    private static async Task<(int Killed, int Half)> KillOnceAsync(string stage, string folder, Moment moment, Undisturbed whole, RandomStream random)
    {
        MakeFolders(folder);
        var run = Path.Combine(folder, "run");
        using var awaited = moment switch
        {
            Moment.Between => Appearing(Path.Combine(run, "checkpoints"), name => !IsUnfinished(name)),
            Moment.Checkpoint => Appearing(Path.Combine(run, "checkpoints"), IsUnfinished),
            Moment.Model => Appearing(Path.Combine(run, "model"), IsUnfinished),
            Moment.Store => Appearing(Path.Combine(folder, "store", "blobs", "sha256"), IsUnfinished),
            _ => null,
        };
        var delay = random.NextDouble() * (moment switch
        {
            Moment.Start => whole.UntilFirstStep,
            Moment.Between => whole.BetweenCheckpoints,
            _ => TimeSpan.FromMilliseconds(4),
        });
        using var command = AttuneCommand.Start(folder, [.. Stages[stage], "--run", "run"]);
        if (awaited is not null)
            await awaited.SeenAsync(command);
        if (delay > TimeSpan.FromMilliseconds(1))
            await Task.Delay(delay);
        var ended = command.HasExited;
        command.Kill();
        await command.ResultAsync();

        var unfinished = Directory.EnumerateFiles(folder, "*" + Atomic.TemporarySuffix, SearchOption.AllDirectories).Select(Path.GetFileName).ToList();
        MakeFolders(folder);
        var step = Directory.EnumerateFiles(Path.Combine(run, "checkpoints"), "step-*.safetensors").Select(Path.GetFileNameWithoutExtension).Max() ?? "no checkpoint";
        Say($"{Path.GetFileName(folder)}: {(ended ? "had ended" : "killed")} {delay.TotalMilliseconds:F1} ms after {Describe(moment)}; it left {step}{(unfinished.Count > 0 ? $" and half of {unfinished[0]}" : "")}");
        Assert.Empty(ModelStore.Open(Path.Combine(folder, "store")).Verify());
        return (ended ? 0 : 1, unfinished.Count > 0 ? 1 : 0);
    }

    private static string Describe(Moment moment) => moment switch
    {
        Moment.Start => "it was started",
        Moment.Between => "a checkpoint",
        Moment.Checkpoint => "the write of a checkpoint began",
        Moment.Model => "the write of the model began",
        _ => "the write into the store began",
    };

    /// <summary>The folder of a run, its subfolders made beforehand so that they can be watched; later stages find the Base in its store.</summary>
    private string Prepare(string stage, string name)
    {
        var folder = _at.PathOf(name);
        MakeFolders(folder);
        if (stage != "pretrain")
        {
            var given = _at.PathOf("pretrain", "store");
            foreach (var file in Directory.EnumerateFiles(given, "*", SearchOption.AllDirectories))
                File.Copy(file, Path.Combine(folder, "store", Path.GetRelativePath(given, file)));
            ModelStore.Open(Path.Combine(folder, "store")).Untag(Name);
        }
        return folder;
    }

    private static void MakeFolders(string folder)
    {
        foreach (var part in new[] { "run/checkpoints", "run/model", "store/blobs/sha256" })
            Directory.CreateDirectory(Path.Combine(folder, part));
    }

    private static string WeightsIn(string folder) => Digests.Sha256Of(Path.Combine(folder, "run", "model", ModelFiles.Weights));

    private static bool IsUnfinished(string name) => name.EndsWith(Atomic.TemporarySuffix, StringComparison.Ordinal);

    private static FileWatch Appearing(string folder, Predicate<string> which) => new(folder, which, LongestWait);

    private static void Say(FormattableString line) => Console.WriteLine("  kill: " + line.ToString(CultureInfo.InvariantCulture));

    public void Dispose()
    {
        _at.Dispose();
        _cores.Dispose();
    }
}
