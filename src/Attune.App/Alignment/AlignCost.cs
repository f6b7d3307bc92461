using System.Globalization;
using System.Text.Json;
using Attune.App.Cli;
using Attune.App.Runs;
using Attune.Core.Checkpoints;
using Attune.Core.Options;
using Attune.Core.Versions;
using Attune.Torch.Stages;

namespace Attune.App.Alignment;

/// <summary>What an alignment will take, measured by the stage's own preflight on the first round (or by the first run of the sweep), and what of it the budget allows.</summary>
/// <param name="Settings">What is run.</param>
/// <param name="RoundSeconds">Seconds of a round over the whole of its data; null where nobody has measured it yet: a run too short for a trial.</param>
/// <param name="MemoryBytes">Memory, by formula.</param>
/// <param name="Steps">Updates of a round over the whole of its data.</param>
/// <param name="Rounds">Rounds.</param>
/// <param name="Share">Share of each round's data that is learnt: below 1 where the budget is small.</param>
/// <param name="Swept">How many values of what holds it to its reference are tried; 0 sweeps nothing.</param>
internal sealed record AlignCost(AlignSettings Settings, double? RoundSeconds, long MemoryBytes, long Steps, int Rounds, double Share, int Swept)
{
    // Where it is kept, what training may take, and the share of the data that a run of the sweep takes.
    private readonly string _path = "";
    private readonly double _allowed, _sweepShare;

    /// <summary>Measures and fits: a sweep goes first, then data.</summary>
    public static AlignCost Of(AlignSettings settings, ModelVersion start, AlignOptions options, string file, string folder, TimeSpan allowed, CancellationToken cancel)
    {
        // What was decided once stands: a second measurement of the pace must not make another run of it.
        var path = Path.Combine(folder, $"cost-{settings.Key(start.Digest, file)}-{OptionText.Of(options.Budget)}-{options.Rounds}.json");
        var cost = new AlignCost(settings, path, allowed.TotalSeconds, options);
        if (File.Exists(path) && JsonSerializer.Deserialize<Kept>(File.ReadAllText(path)) is { } kept)
            return cost with { RoundSeconds = kept.RoundSeconds, MemoryBytes = kept.MemoryBytes, Steps = kept.Steps, Share = kept.Share, Swept = kept.Swept };
        var look = new Look();
        var place = new Place { Parent = start.Digest, Store = options.Store, Threads = options.Threads, Run = Path.Combine(folder, "runs", $"preflight-{settings.Key(start.Digest, file)}") };
        try
        {
            StageRunner.Run(settings.Bind(file, 1), place, cancel, look);
        }
        catch (PreflightShown)
        {
            // Asked for, and seen.
        }
        cost = cost with { RoundSeconds = look.Seen?.Estimate.Seconds, MemoryBytes = look.Seen?.Estimate.TotalBytes ?? 0, Steps = look.Seen?.Steps ?? 0 };
        if (!cost.HasRoomToSweep(TimeSpan.Zero, cost.Swept))
            cost = cost with { Swept = 0 };
        return (cost with { Share = cost.Fitting(TimeSpan.Zero) }).Keep();
    }

    private AlignCost(AlignSettings settings, string path, double allowed, AlignOptions options)
        : this(settings, null, 0, 0, options.Rounds, 1, settings.Pull.Source == PullSource.Usual && options.SweepShare > 0 ? ReferencePull.Of(settings.Stage)?.Swept.Count ?? 0 : 0) =>
        (_path, _allowed, _sweepShare) = (path, allowed, options.SweepShare);

    /// <summary>What all rounds take; nothing where it is not known.</summary>
    public TimeSpan Training => TimeSpan.FromSeconds((RoundSeconds ?? 0) * Share * Rounds);

    /// <summary>Whether runs of the sweep leave room for the training that they are for. A cost that is not known takes no room: the clock alone decides.</summary>
    /// <param name="spent">Time since the start.</param>
    /// <param name="runs">Runs of the sweep; each learns from a share of all rounds together.</param>
    public bool HasRoomToSweep(TimeSpan spent, int runs) => spent.TotalSeconds + (RoundSeconds ?? 0) * Rounds * (1 + _sweepShare * runs) <= _allowed;

    /// <summary>Whether another round fits into what training may take.</summary>
    /// <param name="spent">Time since the start.</param>
    public bool HasRoomForRound(TimeSpan spent) => spent.TotalSeconds + (RoundSeconds ?? 0) * Share <= _allowed;

    /// <summary>What a run of the sweep says of a cost that was not known: the share of the data that fits what is left.</summary>
    /// <param name="seconds">The run's training.</param>
    /// <param name="spent">Time since the start.</param>
    public AlignCost Measured(double seconds, TimeSpan spent)
    {
        if (RoundSeconds is not null)
            return this;
        var measured = this with { RoundSeconds = seconds / _sweepShare / Rounds };
        return measured with { Share = measured.Fitting(spent) };
    }

    /// <summary>After a sweep that tried so many values: the same command tries as many when it resumes.</summary>
    public AlignCost Tried(int values) => (this with { Swept = values }).Keep();

    /// <summary>In words.</summary>
    public string Describe()
    {
        var time = RoundSeconds is not null
            ? string.Create(CultureInfo.InvariantCulture, $"about {Training.TotalMinutes:F1} minutes of training in {Rounds} rounds")
            : string.Create(CultureInfo.InvariantCulture, $"{Rounds} rounds of {Steps} updates; how long they take is not known yet, so the clock is looked at after each run");
        var sweep = ReferencePull.Of(Settings.Stage) switch
        {
            null => "",
            { Option: var option } => Swept > 0 ? $", and a sweep of {option} before" : $", {option} not swept",
        };
        var less = Share < 1 ? string.Create(CultureInfo.InvariantCulture, $"; the budget allows {Share * 100:F0}% of the data") : "";
        return string.Create(CultureInfo.InvariantCulture, $"{time}{sweep}{less}; about {MemoryBytes / 1e6:N0} MB");
    }

    private double Fitting(TimeSpan spent)
    {
        var (training, left) = ((RoundSeconds ?? 0) * Rounds, _allowed - spent.TotalSeconds);
        return training <= left || training == 0 ? 1 : Math.Max(0.01, Math.Round(left / training, 2));
    }

    private AlignCost Keep()
    {
        Atomic.WriteAllText(_path, JsonSerializer.Serialize(new Kept(RoundSeconds, MemoryBytes, Steps, Share, Swept)));
        return this;
    }

    private sealed record Kept(double? RoundSeconds, long MemoryBytes, long Steps, double Share, int Swept);

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
