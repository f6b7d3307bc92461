using System.Text.Json;
using System.Text.Json.Serialization;
using Attune.Core.Data;

namespace Attune.Torch.Stages;

/// <summary>
/// All of a run that is not a tensor. The data cursor is a function of the step, and every random stream is made anew
/// from (seed, stage, purpose, epoch), so the step is the state of both.
/// </summary>
public sealed record RunState
{
    /// <summary>Updates done.</summary>
    public long Step { get; init; }

    /// <summary>Real tokens seen.</summary>
    public long Tokens { get; init; }

    /// <summary>Label tokens seen.</summary>
    public long TargetTokens { get; init; }

    /// <summary>Loss of the last step.</summary>
    public double? Loss { get; init; }

    /// <summary>The last validation loss, and the step that it is of.</summary>
    public double? Validation { get; init; }

    /// <inheritdoc cref="Validation"/>
    public long ValidationStep { get; init; }

    /// <summary>The best validation loss so far and the step that had it; its weights lie beside the checkpoints.</summary>
    public double? Best { get; init; }

    /// <inheritdoc cref="Best"/>
    public long BestStep { get; init; }

    /// <summary>Validations since the best.</summary>
    public int Worse { get; init; }

    /// <summary>Whether early stopping has ended the run.</summary>
    public bool Stopped { get; init; }

    /// <summary>β of the next iteration, where it is steered.</summary>
    public double? KlCoefficient { get; init; }

    /// <summary>Tokens that the policy has sampled.</summary>
    public long Sampled { get; init; }

    /// <summary>Seconds of sampling and scoring, a part of <see cref="Seconds"/>. Told in reports; nothing depends on it.</summary>
    public double SamplingSeconds { get; init; }

    /// <summary>Comparisons that a judge was asked for.</summary>
    public long JudgeCalls { get; init; }

    /// <summary>Seconds of judging, a part of <see cref="Seconds"/>. Told in reports; nothing depends on it.</summary>
    public double JudgeSeconds { get; init; }

    /// <summary>Mean score of the answers of the last iteration.</summary>
    public double? Score { get; init; }

    /// <summary>Their mean KL to the reference, in nats an answer.</summary>
    public double? Kl { get; init; }

    /// <summary>The reward model's accuracy on the policy's first answers, where there is a truth to measure it by.</summary>
    public double? RewardStart { get; init; }

    /// <summary>Pairs that it was measured on.</summary>
    public double RewardStartPairs { get; init; }

    /// <summary>Pairs that it ordered rightly of late, older ones counting less.</summary>
    public double RewardRight { get; init; }

    /// <summary>Pairs of late.</summary>
    public double RewardPairs { get; init; }

    /// <summary>Length of metrics.jsonl at this step: a resumed run cuts it back to here.</summary>
    public long MetricsLength { get; init; }

    /// <summary>The same of the TensorBoard file.</summary>
    public long EventsLength { get; init; }

    /// <summary>Seconds in the loop so far. Told in reports; nothing depends on it.</summary>
    public double Seconds { get; init; }

    /// <summary>Seconds of scoring by the reference, before the loop. Told in reports; nothing depends on it.</summary>
    public double ReferenceSeconds { get; init; }

    /// <summary>The state after the reference has scored what was not scored before.</summary>
    public RunState Scored(ReferenceScores reference) => this with { ReferenceSeconds = ReferenceSeconds + reference.Seconds };

    /// <summary>The state after an update.</summary>
    public RunState After(UpdateResult update, IReadOnlyList<RaggedBatch> batches, Pace pace)
    {
        var tokens = batches.Sum(b => (long)b.Tokens);
        pace.Add(tokens);
        return this with
        {
            Step = Step + 1,
            Tokens = Tokens + tokens,
            TargetTokens = TargetTokens + batches.Sum(SftStep.Labels),
            Loss = update.Loss,
            Seconds = pace.Seconds,
        };
    }

    /// <summary>The state once answers were drawn before the loop: their time is the run's.</summary>
    public RunState Answered(TimeSpan time) => this with { Seconds = Seconds + time.TotalSeconds, SamplingSeconds = SamplingSeconds + time.TotalSeconds };

    internal string ToJson() => JsonSerializer.Serialize(this, RunStateJson.Default.RunState);

    internal static RunState Parse(string json) => JsonSerializer.Deserialize(json, RunStateJson.Default.RunState)!;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(RunState))]
internal sealed partial class RunStateJson : JsonSerializerContext;
