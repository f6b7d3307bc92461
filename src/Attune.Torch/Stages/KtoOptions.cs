using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Attune.Core.Versions;

namespace Attune.Torch.Stages;

/// <summary>Options of <see cref="Kto"/>: from answers that are labelled one by one.</summary>
public sealed record KtoOptions : TuningOptions
{
    /// <summary>The defaults of a preference stage.</summary>
    public KtoOptions() => (LearningRate, SequenceLength, DecayShare) = (1e-6, 512, 1);

    /// <summary>What the new version is called.</summary>
    [Description("Kind of the new version: base, instruct or chat; chat unless given.")]
    public VersionKind? Kind { get; init; }

    /// <summary>The prompt contract.</summary>
    [Description("Prompt contract of the new version; the parent's unless given.")]
    public string? Contract { get; init; }

    /// <summary>The contract may break the parent's.</summary>
    [Description("The new version may break the prompt contract that trained its parent; its lineage says in what.")]
    public bool ContractChange { get; init; }

    /// <summary>β.</summary>
    [Description("Beta: how dear it is to leave the parent. Larger stays closer."), Range(0, 1000, MinimumIsExclusive = true)]
    public double Beta { get; init; } = 0.1;

    /// <summary>w_d.</summary>
    [Description("Weight of desirable answers. Weight × count of the two kinds should stand between 1:1 and 4:3."), Range(0, 1000, MinimumIsExclusive = true)]
    public double DesirableWeight { get; init; } = 1;

    /// <summary>w_u.</summary>
    [Description("Weight of undesirable answers."), Range(0, 1000, MinimumIsExclusive = true)]
    public double UndesirableWeight { get; init; } = 1;

    /// <summary>Answers of a micro-batch.</summary>
    [Description("Answers of a micro-batch; the KL is estimated anew in each, so not fewer than 2."), Range(2, 1_000_000)]
    public int MicroBatchRows { get; init; } = 16;

    /// <summary>Micro-batches of an update.</summary>
    [Description("Micro-batches of an update."), Range(1, 1_000_000)]
    public int Accumulation { get; init; } = 1;

    /// <summary>For tests.</summary>
    public static KtoOptions Tiny() => new() { SequenceLength = 128, MicroBatchRows = 8, LearningRate = 1e-3 };

    /// <summary>What a model of a million parameters wants.</summary>
    public static KtoOptions Million() => new() { LearningRate = 2.5e-4, MicroBatchRows = 32 };
}
