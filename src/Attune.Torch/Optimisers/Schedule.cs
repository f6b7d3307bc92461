namespace Attune.Torch.Optimisers;

/// <summary>
/// The learning rate as a function of the step alone, so that a resumed run cannot drift. The names and the
/// arithmetic of transformers' schedules, and <c>trapezoid</c>: warm-up, plateau, straight line down to the floor.
/// </summary>
/// <param name="Name">One of <see cref="Names"/>.</param>
/// <param name="Steps">T: updates in the whole run.</param>
/// <param name="Warmup">Updates until the full rate.</param>
public sealed record Schedule(string Name, long Steps, long Warmup = 0)
{
    /// <summary>Updates of the falling part (warmup_stable_decay, trapezoid).</summary>
    public long Decay { get; init; }

    /// <summary>Where the rate ends (and warm-up begins, in warmup_stable_decay), as a share of the full rate.</summary>
    public double Floor { get; init; }

    /// <summary>Waves of the cosine: .5 is one fall.</summary>
    public double Cycles { get; init; } = 0.5;

    /// <summary>Exponent of the polynomial.</summary>
    public double Power { get; init; } = 1;

    private static readonly Dictionary<string, Func<Schedule, long, double>> Forms = new(StringComparer.Ordinal)
    {
        ["constant"] = (_, _) => 1,
        ["constant_with_warmup"] = (s, t) => s.Rising(t) ?? 1,
        ["linear"] = (s, t) => s.Rising(t) ?? Math.Max(0, (s.Steps - t) / Math.Max(1.0, s.Steps - s.Warmup)),
        ["cosine"] = (s, t) => s.Rising(t) ?? Math.Max(0, Wave(s.Cycles * 2 * s.Progress(t))),
        ["cosine_with_restarts"] = (s, t) => s.Rising(t) ?? (s.Progress(t) >= 1 ? 0 : Math.Max(0, Wave(s.Cycles * s.Progress(t) % 1))),
        ["cosine_with_min_lr"] = (s, t) => s.Rising(t) ?? s.Lift(Math.Max(0, Wave(s.Cycles * 2 * s.Progress(t)))),
        ["polynomial"] = (s, t) => s.Rising(t) ?? (t > s.Steps ? s.Floor : s.Lift(Math.Pow(1 - s.Progress(t), s.Power))),
        ["inverse_sqrt"] = (s, t) => s.Rising(t) ?? 1 / Math.Sqrt((t + s.TimeScale - s.Warmup) / s.TimeScale),
        ["warmup_stable_decay"] = (s, t) => t < s.Warmup ? s.Lift((double)t / s.Warmup)
            : t < s.Steps - s.Decay ? 1
            : s.Lift(Math.Max(0, Wave(Math.Min(1, s.Falling(t))))),
        ["trapezoid"] = (s, t) => t < s.Warmup ? (t + 1.0) / (s.Warmup + 1)
            : t < s.Steps - s.Decay ? 1
            : s.Lift(Math.Max(0, 1 - s.Falling(t))),
    };

    /// <summary>Every schedule there is.</summary>
    public static IReadOnlyCollection<string> Names => Forms.Keys;

    /// <summary>The factor on the full rate for an update.</summary>
    /// <param name="step">t, counted from zero: the number of updates already done.</param>
    /// <exception cref="TrainingException">ATT5101: no schedule has that name.</exception>
    public double At(long step) => Forms.TryGetValue(Name, out var form)
        ? form(this, step)
        : throw TrainingException.Unsupported("schedule", Name, Names);

    private double? Rising(long t) => t < Warmup ? (double)t / Math.Max(1, Warmup) : null;

    private double Progress(long t) => (t - Warmup) / Math.Max(1.0, Steps - Warmup);

    private double Falling(long t) => (t - (Steps - Decay)) / Math.Max(1.0, Decay);

    /// <summary>inverse_sqrt's time scale: the warm-up, or 10,000 where there is none (transformers).</summary>
    private double TimeScale => Warmup > 0 ? Warmup : 10_000;

    private double Lift(double share) => share * (1 - Floor) + Floor;

    private static double Wave(double turns) => 0.5 * (1 + Math.Cos(Math.PI * turns));
}
