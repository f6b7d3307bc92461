using Attune.Core.Checkpoints;
using Attune.Core.Versions;
using Attune.Torch.Native;

namespace Attune.Torch.Stages;

/// <summary>A finished stage.</summary>
/// <param name="Draft">The version that it made, as files under the run folder.</param>
/// <param name="Facts">What the run cost.</param>
public sealed record StageResult(VersionDraft Draft, RunFacts Facts);

/// <summary>What a run cost: different in every run, so it goes into reports and never into lineage.</summary>
public sealed record RunFacts
{
    /// <summary>Updates done.</summary>
    public required long Steps { get; init; }

    /// <summary>Real tokens seen.</summary>
    public required long Tokens { get; init; }

    /// <summary>Label tokens seen.</summary>
    public required long TargetTokens { get; init; }

    /// <summary>Time in the loop, over all resumes.</summary>
    public required double Seconds { get; init; }

    /// <summary>Largest resident memory of the process since the mark was last set (see <see cref="PeakMemory"/>), in bytes.</summary>
    public required long PeakMemoryBytes { get; init; }

    /// <summary>Floating-point operations of the trained tokens, by 6 × parameters × tokens.</summary>
    public required double Operations { get; init; }

    /// <summary>The matmul ceiling of this process, in operations per second (see <see cref="MatmulCeiling"/>).</summary>
    public required double CeilingPerSecond { get; init; }

    /// <summary>Parameters of the model, a tied embedding counted once.</summary>
    public required long Parameters { get; init; }

    /// <summary>Threads of the matrix products.</summary>
    public required int Threads { get; init; }

    /// <summary>Loss of the last step.</summary>
    public double? Loss { get; init; }

    /// <summary>Last (with early stopping: best) validation loss, or null where none was measured.</summary>
    public double? ValidationLoss { get; init; }

    /// <summary>Tokens that the policy sampled; 0 where a stage learns from data alone.</summary>
    public long Sampled { get; init; }

    /// <summary>Seconds of sampling and scoring, a part of <see cref="Seconds"/>.</summary>
    public double SamplingSeconds { get; init; }

    /// <summary>Seconds of scoring by the reference, before the loop and not a part of <see cref="Seconds"/>.</summary>
    public double ReferenceSeconds { get; init; }

    /// <summary>Comparisons that a judge was asked for while the policy learnt.</summary>
    public long JudgeCalls { get; init; }

    /// <summary>Seconds of judging, a part of <see cref="Seconds"/>.</summary>
    public double JudgeSeconds { get; init; }

    /// <summary>The facts of a run that has just ended.</summary>
    internal static RunFacts Of(DecoderConfig config, RunState state) => new()
    {
        Steps = state.Step,
        Tokens = state.Tokens,
        TargetTokens = state.TargetTokens,
        Seconds = state.Seconds,
        PeakMemoryBytes = PeakMemory.Bytes,
        Operations = 6.0 * config.Parameters * state.Tokens,
        CeilingPerSecond = MatmulCeiling.PerSecond,
        Parameters = config.Parameters,
        Threads = TorchSharp.torch.get_num_threads(),
        Loss = state.Loss,
        ValidationLoss = state.Validation,
        Sampled = state.Sampled,
        SamplingSeconds = state.SamplingSeconds,
        ReferenceSeconds = state.ReferenceSeconds,
        JudgeCalls = state.JudgeCalls,
        JudgeSeconds = state.JudgeSeconds,
    };

    /// <summary>Real tokens per second.</summary>
    public double TokensPerSecond => Seconds > 0 ? Tokens / Seconds : 0;

    /// <summary>Operations per second over the ceiling.</summary>
    public double ShareOfCeiling => Seconds > 0 && CeilingPerSecond > 0 ? Operations / Seconds / CeilingPerSecond : 0;
}
