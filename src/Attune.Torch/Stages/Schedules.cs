using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>The parts of a run that its options and its length decide.</summary>
public static class Schedules
{
    /// <summary>Updates in a run.</summary>
    /// <param name="options">Steps, or epochs.</param>
    /// <param name="microBatches">Micro-batches of one epoch.</param>
    /// <param name="accumulation">Micro-batches of an update.</param>
    public static long Steps(TrainingOptions options, int microBatches, int accumulation) =>
        options.Steps ?? Math.Max(1, (long)Math.Ceiling(options.Epochs * microBatches / accumulation));

    /// <summary>The schedule of a run of that many updates.</summary>
    /// <exception cref="TrainingException">ATT5101: no schedule has that name.</exception>
    public static Schedule Of(TrainingOptions options, long steps)
    {
        var schedule = new Schedule(options.Schedule, steps, (long)Math.Round(options.WarmupShare * steps))
        {
            Decay = (long)Math.Round(options.DecayShare * steps),
            Floor = options.FloorShare,
        };
        _ = schedule.At(0);
        return schedule;
    }

    /// <summary>Whether the validation loss is measured after a step.</summary>
    public static bool Validates(TrainingOptions options, long step, long steps) =>
        step == steps || (options.ValidateEvery > 0 && step % options.ValidateEvery == 0);

    /// <summary>The options' constants.</summary>
    public static OptimiserSettings Settings(TrainingOptions options) => new() { Beta1 = options.Beta1, Beta2 = options.Beta2 };
}
