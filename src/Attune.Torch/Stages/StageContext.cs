using Attune.Core.Rewards;
using Attune.Core.Versions;
using Attune.Torch.Native;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>What a stage needs beside its options: where it works, what it starts from, whom it tells.</summary>
public sealed record StageContext
{
    /// <summary>The folder of this run: checkpoints, metrics, the finished model. The same folder resumes.</summary>
    public required string RunFolder { get; init; }

    /// <summary>The version to start from; null for pretraining.</summary>
    public ModelFiles? Parent { get; init; }

    /// <summary>The parent's manifest digest (<c>sha256:…</c>) for the lineage, or null for a plain folder.</summary>
    public string? ParentDigest { get; init; }

    /// <summary>The kind of the parent, or null where it is not known.</summary>
    public VersionKind? ParentKind { get; init; }

    /// <summary>The reward model that the options name, opened; null where they name none.</summary>
    public ModelFiles? RewardModel { get; init; }

    /// <summary>The policy that the options of a refresh name, opened; else null.</summary>
    public ModelFiles? Policy { get; init; }

    /// <summary>What the adapter of a reward model lies on, where a refresh is to train that adapter on; else null.</summary>
    public ModelFiles? AdapterBase { get; init; }

    /// <summary>Its manifest digest for the lineage, or null for a plain folder.</summary>
    public string? AdapterBaseDigest { get; init; }

    /// <summary>What labels answers that a policy gives, where the options have no rules that do: those of a refresh, a few of each iteration elsewhere.</summary>
    public IReward? Labels { get; init; }

    /// <summary>Throws away what the folder holds of an earlier run (<c>--restart</c>) instead of resuming.</summary>
    public bool Restart { get; init; }

    /// <summary>Hears of every step; null where nobody listens.</summary>
    public IProgress<StageProgress>? Progress { get; init; }

    /// <summary>
    /// Is shown the preflight before the first step; null where nobody looks. One that cancels
    /// <see cref="Cancellation"/> ends the run there: a look without a leap.
    /// </summary>
    public IProgress<StagePreflight>? Preflight { get; init; }

    /// <summary>Stops the run after the step at hand and a checkpoint.</summary>
    public CancellationToken Cancellation { get; init; }

    /// <summary>Threads of the kernels; null leaves them as they are, or takes one for each processor.</summary>
    public int? Threads { get; init; }

    /// <summary>The clock.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The parent of a stage that needs one.</summary>
    internal ModelFiles RequireParent() => Parent ?? throw new TrainingException("ATT5125", "There is no model to start from.")
    {
        Field = "parent",
        Hint = "Name a version or a folder: --parent world:base.",
    };

    /// <summary>Loads libtorch, once, with the threads asked for, and makes sure of the device before any work is done.</summary>
    /// <exception cref="TrainingException">ATT5135: there is no such device.</exception>
    internal void StartTorch(TrainingOptions? options = null)
    {
        if (Threads is not null || TorchRuntime.Threads == 0)
            TorchRuntime.Initialise(Threads);
        if (options is not null)
            _ = Compute.Open(options.Device);
    }

    internal void Show(StagePreflight preflight)
    {
        Preflight?.Report(preflight);
        Cancellation.ThrowIfCancellationRequested();
    }

    internal void Tell(MetricsLog log, StageProgress progress)
    {
        log.Write(progress);
        Progress?.Report(progress);
    }

    internal void TellStart(string stage, RunState state, long steps)
    {
        if (state.Step > 0)
            Tell(stage, state, steps, FormattableString.Invariant($"Resumed after step {state.Step} of {steps}."));
    }

    internal void Tell(string stage, RunState state, long steps, string message) =>
        Progress?.Report(new StageProgress { Stage = stage, Step = state.Step, Steps = steps, Tokens = state.Tokens, Loss = state.Loss ?? double.NaN, Message = message });
}
