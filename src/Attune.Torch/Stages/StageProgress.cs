namespace Attune.Torch.Stages;

/// <summary>Where a stage stands: one of these per step, and one with a <see cref="Message"/> for whatever a person should know.</summary>
public sealed record StageProgress
{
    /// <summary>pretrain, sft, dpo…</summary>
    public required string Stage { get; init; }

    /// <summary>Updates done.</summary>
    public long Step { get; init; }

    /// <summary>Updates in the whole run.</summary>
    public long Steps { get; init; }

    /// <summary>Real tokens seen, padding never counted for there is none.</summary>
    public long Tokens { get; init; }

    /// <summary>Loss of this step, in nats per label token (or per pair).</summary>
    public double Loss { get; init; }

    /// <summary>Real tokens per second over the last few steps.</summary>
    public double TokensPerSecond { get; init; }

    /// <summary>Time left at this pace.</summary>
    public TimeSpan Eta { get; init; }

    /// <summary>The learning rate of this step.</summary>
    public double LearningRate { get; init; }

    /// <summary>Norm of the gradient before clipping.</summary>
    public double GradNorm { get; init; }

    /// <summary>Loss on the validation data, where this step measured it.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>Further figures of the stage by name: rewards/margins, rewards/accuracies…</summary>
    public IReadOnlyList<KeyValuePair<string, double>> Metrics { get; init; } = [];

    /// <summary>A line for people, or null.</summary>
    public string? Message { get; init; }

    /// <summary>The progress after a step.</summary>
    public static StageProgress Of(string stage, RunState state, long steps, UpdateResult update, double rate, Pace pace) => new()
    {
        Stage = stage,
        Step = state.Step,
        Steps = steps,
        Tokens = state.Tokens,
        Loss = update.Loss,
        TokensPerSecond = pace.TokensPerSecond,
        Eta = pace.Eta(steps - state.Step),
        LearningRate = rate,
        GradNorm = update.GradientNorm,
        ValidationLoss = state.ValidationStep == state.Step ? state.Validation : null,
    };
}
