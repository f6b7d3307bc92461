using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Attune.Core.Versions;

namespace Attune.Torch.Stages;

/// <summary>Options of <see cref="Orpo"/>: preference pairs without a reference and without an SFT stage before.</summary>
public sealed record OrpoOptions : TuningOptions
{
    /// <summary>The defaults of a preference stage.</summary>
    public OrpoOptions() => (LearningRate, SequenceLength, DecayShare) = (1e-6, 512, 1);

    /// <summary>What the new version is called.</summary>
    [Description("Kind of the new version: base, instruct or chat; chat unless given.")]
    public VersionKind? Kind { get; init; }

    /// <summary>The prompt contract.</summary>
    [Description("Prompt contract of the new version; the parent's unless given, chatml if it has none.")]
    public string? Contract { get; init; }

    /// <summary>The contract may break the parent's.</summary>
    [Description("The new version may break the prompt contract that trained its parent; its lineage says in what.")]
    public bool ContractChange { get; init; }

    /// <summary>β.</summary>
    [Description("Beta: weight of the odds ratio beside the loss on the chosen answers."), Range(0, 1000, MinimumIsExclusive = true)]
    public double Beta { get; init; } = 0.1;

    /// <summary>Pairs of a micro-batch.</summary>
    [Description("Pairs of a micro-batch."), Range(1, 1_000_000)]
    public int MicroBatchPairs { get; init; } = 8;

    /// <summary>Micro-batches of an update.</summary>
    [Description("Micro-batches of an update."), Range(1, 1_000_000)]
    public int Accumulation { get; init; } = 1;

    /// <summary>For tests.</summary>
    public static OrpoOptions Tiny() => new() { SequenceLength = 128, MicroBatchPairs = 4, LearningRate = 1e-3 };

    /// <summary>What a model of a million parameters wants.</summary>
    public static OrpoOptions Million() => new() { LearningRate = 2.5e-4, MicroBatchPairs = 16 };
}
