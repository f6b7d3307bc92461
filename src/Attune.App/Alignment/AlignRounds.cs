using Attune.App.Cli;
using Attune.Core.Evaluation.Alignment;
using Attune.Core.Versions;
using Attune.Torch.Stages;

namespace Attune.App.Alignment;

/// <summary>What a round was measured to be.</summary>
/// <param name="Won">The win rate over the start.</param>
/// <param name="Kl">KL to the start, nats an answer.</param>
/// <param name="Labels">The share of held-out labelled items that moved as their labels ask; null where the data has no labels.</param>
internal sealed record RoundFigures(WinRate Won, double Kl, WinRate? Labels);

/// <summary>Why rounds end.</summary>
internal enum RoundEnd
{
    /// <summary>They do not: the win rate rose.</summary>
    No,

    /// <summary>The win rate no longer rises.</summary>
    NoRise,

    /// <summary>KL has passed its bound.</summary>
    TooFar,

    /// <summary>A task was forgotten.</summary>
    Forgets,
}

/// <summary>The rounds of an alignment: after each it is measured against the start, and the best that keeps its tasks is kept.</summary>
/// <param name="options">How answers are drawn.</param>
/// <param name="settings">The stage, whose bound of KL holds.</param>
/// <param name="start">What the rounds start from and are measured against.</param>
/// <param name="data">What is held out.</param>
/// <param name="held">What the win rate is measured by.</param>
/// <param name="labels">What the labels themselves say of held-out prompts; null where the data has none.</param>
/// <param name="tasks">The tasks that are to be kept.</param>
/// <param name="report">Takes the figures.</param>
internal sealed class AlignRounds(AlignOptions options, AlignSettings settings, ModelVersion start, AlignData data, IHeldOut held, ShiftHeldOut? labels, TaskGate tasks, AlignReport report)
{
    private readonly List<RoundFigures> _measured = [];
    private readonly double _bound = settings.KlBound(options);
    private ModelVersion? _best;
    private double _bestRate = 0.5;

    /// <summary>The best so far: the start, until a round beats it.</summary>
    public ModelVersion Best => _best ?? start;

    /// <summary>Whether a round beat the start and kept its tasks.</summary>
    public bool HasBest => _best is not null;

    /// <summary>The last round that beat all before it and forgot a task; null where none did.</summary>
    public ModelVersion? Refused { get; private set; }

    /// <summary>The tasks of the best round, or, where there is none, of the one that was refused.</summary>
    public IReadOnlyList<TaskChange> Tasks { get; private set; } = [];

    /// <summary>Figures of all rounds.</summary>
    public IReadOnlyList<RoundFigures> Measured => _measured;

    /// <summary>Whether the win rate is what the labels themselves say.</summary>
    public bool ByLabels => ReferenceEquals(held, labels);

    /// <summary>The win rate of a version, and KL to the start on answers that it draws to held-out prompts.</summary>
    public (WinRate Won, double Kl) Measure(ModelVersion version, CancellationToken cancel) => (held.Against(start, version, cancel), Kl(version, cancel));

    /// <summary>Takes in the version of a round.</summary>
    public RoundEnd Take(ModelVersion version, CancellationToken cancel)
    {
        var (won, kl) = Measure(version, cancel);
        var figures = new RoundFigures(won, kl, ByLabels ? won : labels?.Against(start, version, cancel));
        _measured.Add(figures);
        Tell(figures, version);
        if (kl > _bound)
        {
            Terminal.Out.Line($"  KL has passed its bound of {_bound}: this round is not kept.");
            return Ended(RoundEnd.TooFar);
        }
        if (won.N > 0 && won.Value <= _bestRate)
        {
            Terminal.Out.Line($"  the win rate no longer rises: the round before is kept.");
            return Ended(RoundEnd.NoRise);
        }
        return KeepsTasks(version, cancel) ? Kept(version, won.Value) : Ended(RoundEnd.Forgets);
    }

    private RoundEnd Kept(ModelVersion version, double rate)
    {
        (_best, _bestRate) = (version, rate);
        return RoundEnd.No;
    }

    // A version that wins pairs and forgets what it could is worth nothing, however much it wins.
    private bool KeepsTasks(ModelVersion version, CancellationToken cancel)
    {
        var changes = tasks.Of(version, cancel);
        foreach (var change in changes)
            Terminal.Out.Line($"  task {change.Name}: {change.Before:F3} before, {change.After:F3} after, change {change.Change:+0.000;-0.000;0.000} ({change.Low:F3} to {change.High:F3}, n {change.N})");
        report.Note("tasks", new() { ["round"] = _measured.Count, ["tasks"] = TaskChange.ToJson(changes) });
        string[] forgotten = [.. changes.Where(c => c.Forgotten(options.Tolerance)).Select(c => c.Name)];
        if (forgotten.Length == 0 || _best is null)
            Tasks = changes;
        if (forgotten.Length == 0)
            return true;
        Terminal.Out.Line($"  it forgets its tasks ({string.Join(", ", forgotten)}): this round is not kept.");
        Refused = version;
        return false;
    }

    private RoundEnd Ended(RoundEnd why)
    {
        report.Note("ended", new() { ["round"] = _measured.Count, ["because"] = why switch { RoundEnd.TooFar => "kl", RoundEnd.Forgets => "tasks", _ => "no_rise" } });
        return why;
    }

    private void Tell(RoundFigures figures, ModelVersion version)
    {
        var (won, kl, round) = (figures.Won, figures.Kl, _measured.Count);
        Terminal.Out.Line($"  round {round}: win rate over the start {won.Value * 100:F1}% ({won.Low * 100:F1} to {won.High * 100:F1}, n {won.N}), KL {Shown.Of(kl, "F2")} nats an answer");
        var note = AlignReport.Figures(won);
        (note["round"], note["kl"], note["version"]) = (round, AlignReport.Finite(kl), version.Digest);
        if (figures.Labels is { } moved)
            note["labels"] = AlignReport.Figures(moved);
        report.Note("round", note);
    }

    private double Kl(ModelVersion version, CancellationToken cancel)
    {
        var rows = version.Digest == start.Digest ? [] : DrawnRows.Of(version, data.HeldPrompts.Select(p => p.Prompt), options, cancel);
        return rows.Count == 0 ? 0 : PolicyDistance.Of(version.Files, start.Files, rows, cancel).Average();
    }
}
