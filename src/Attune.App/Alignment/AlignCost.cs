using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Attune.App.Cli;
using Attune.App.Recipes;
using Attune.App.Runs;
using Attune.Core.Checkpoints;
using Attune.Core.Options;
using Attune.Core.Versions;
using Attune.Torch.Stages;

namespace Attune.App.Alignment;

/// <summary>The stage that was decided on, with its options.</summary>
/// <param name="Stage">dpo, kto, orpo, grpo, sft…</param>
/// <param name="Rule">The row of the table that decided.</param>
/// <param name="Options">Its options.</param>
internal sealed record AlignSettings(string Stage, string Rule, IReadOnlyDictionary<string, object?> Options)
{
    /// <summary>Whether the stage draws and scores answers itself: it is given prompts.</summary>
    public bool Reinforces => IsReinforcement(Stage);

    /// <summary>Whether a stage draws and scores answers itself.</summary>
    public static bool IsReinforcement(string stage) => stage is "ppo" or "grpo" or "rloo";

    /// <summary>The same with one option changed.</summary>
    public AlignSettings With(string key, object? value) => this with { Options = new Dictionary<string, object?>(Options, StringComparer.Ordinal) { [key] = value } };

    /// <summary>Options of the stage for a file, over a share of an epoch.</summary>
    public TrainingOptions Bind(string file, double share) => RecipeRunner.BindTraining(Stage, OptionLayer.FromValues(Options, "the decision"),
        OptionLayer.FromValues(new Dictionary<string, object?> { ["data"] = file, ["epochs"] = share }, "the plan"));

    /// <summary>Names a run folder by all that decides its result.</summary>
    public string Key(string parent) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        $"{Stage}\n{parent}\n{string.Join('\n', Options.OrderBy(o => o.Key, StringComparer.Ordinal).Select(o => $"{o.Key}={OptionText.Of(o.Value)}"))}")))[..12];
}

/// <summary>What an alignment will take, measured by the stage's own preflight on the first round, and what of it the budget allows.</summary>
/// <param name="Settings">What is run.</param>
/// <param name="RoundSeconds">Seconds of a round over the whole of its data; null where it is too short to be worth a trial.</param>
/// <param name="MemoryBytes">Memory, by formula.</param>
/// <param name="Rounds">Rounds.</param>
/// <param name="Share">Share of each round's data that is learnt: below 1 where the budget is small.</param>
/// <param name="Sweeps">Whether what holds it to its reference is swept.</param>
internal sealed record AlignCost(AlignSettings Settings, double? RoundSeconds, long MemoryBytes, int Rounds, double Share, bool Sweeps)
{
    /// <summary>Measures and fits: a sweep goes first, then data.</summary>
    public static AlignCost Of(AlignSettings settings, ModelVersion start, AlignOptions options, string file, string folder, double part, CancellationToken cancel)
    {
        // What was decided once stands: a second measurement of the pace must not make another run of it.
        var path = Path.Combine(folder, $"cost-{settings.Key(start.Digest)}-{OptionText.Of(options.Budget)}-{options.Rounds}.json");
        if (File.Exists(path) && JsonSerializer.Deserialize<Kept>(File.ReadAllText(path)) is { } kept)
            return new AlignCost(settings, kept.RoundSeconds, kept.MemoryBytes, options.Rounds, kept.Share, kept.Sweeps);
        var look = new Look();
        var place = new Place { Parent = start.Digest, Store = options.Store, Threads = options.Threads, Run = Path.Combine(folder, "runs", $"preflight-{settings.Key(start.Digest)}") };
        try
        {
            StageRunner.Run(settings.Bind(file, 1), place, cancel, look);
        }
        catch (PreflightShown)
        {
            // Asked for, and seen.
        }
        var (round, memory) = (look.Seen?.Estimate.Seconds, look.Seen?.Estimate.TotalBytes ?? 0);
        var allowed = options.Budget.TotalSeconds * part;
        var training = (round ?? 0) * options.Rounds;
        // The sweep's file is a share of all rounds together, once for each value.
        var swept = options.Beta is null ? ReferencePull.Of(settings.Stage)?.Swept.Count ?? 0 : 0;
        var sweep = training * options.SweepShare * swept;
        var sweeps = options.SweepShare > 0 && swept > 0 && training + sweep <= allowed;
        var share = training + (sweeps ? sweep : 0) <= allowed ? 1 : Math.Max(0.01, Math.Round(allowed / training, 2));
        Atomic.WriteAllText(path, JsonSerializer.Serialize(new Kept(round, memory, share, sweeps)));
        return new AlignCost(settings, round, memory, options.Rounds, share, sweeps);
    }

    /// <summary>In words.</summary>
    public string Describe()
    {
        var time = RoundSeconds is { } seconds
            ? string.Create(CultureInfo.InvariantCulture, $"about {seconds * Share * Rounds / 60:F1} minutes of training in {Rounds} rounds")
            : string.Create(CultureInfo.InvariantCulture, $"{Rounds} rounds, each under a minute");
        var sweep = ReferencePull.Of(Settings.Stage) switch
        {
            null => "",
            { Option: var option } => Sweeps ? $", and a sweep of {option} before" : $", {option} not swept",
        };
        var less = Share < 1 ? string.Create(CultureInfo.InvariantCulture, $"; the budget allows {Share * 100:F0}% of the data") : "";
        return string.Create(CultureInfo.InvariantCulture, $"{time}{sweep}{less}; about {MemoryBytes / 1e6:N0} MB");
    }

    private sealed record Kept(double? RoundSeconds, long MemoryBytes, double Share, bool Sweeps);

    /// <summary>Looks at the preflight and ends the run there.</summary>
    private sealed class Look : IProgress<StagePreflight>
    {
        public StagePreflight? Seen { get; private set; }

        public void Report(StagePreflight value)
        {
            Seen = value;
            throw new PreflightShown();
        }
    }
}
