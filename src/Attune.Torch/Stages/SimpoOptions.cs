using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Attune.Core.Versions;

namespace Attune.Torch.Stages;

/// <summary>Options of <see cref="Simpo"/>: preference pairs without a reference.</summary>
public sealed record SimpoOptions : TuningOptions
{
    /// <summary>The defaults of a preference stage.</summary>
    public SimpoOptions() => (LearningRate, SequenceLength, DecayShare) = (1e-6, 512, 1);

    /// <summary>What the new version is called.</summary>
    [Description("Kind of the new version: base, instruct or chat; chat unless given.")]
    public VersionKind? Kind { get; init; }

    /// <summary>The prompt contract.</summary>
    [Description("Prompt contract of the new version; the parent's unless given.")]
    public string? Contract { get; init; }

    /// <summary>The contract may break the parent's.</summary>
    [Description("The new version may break the prompt contract that trained its parent; its lineage says in what.")]
    public bool ContractChange { get; init; }

    /// <summary>β: the paper's. LLaMA-Factory takes DPO's 0.1, which of mean log-probabilities leaves little.</summary>
    [Description("Beta: scales the difference of the mean log-probabilities (2 to 2.5 in the paper)."), Range(0, 1000, MinimumIsExclusive = true)]
    public double Beta { get; init; } = 2;

    /// <summary>γ.</summary>
    [Description("Gamma: the margin that the difference must reach."), Range(0, 1000)]
    public double Gamma { get; init; } = 0.5;

    /// <summary>Weight of the chosen completions' cross-entropy.</summary>
    [Description("Weight of the chosen answers' own loss, added so that their probability does not fall."), Range(0, 1000)]
    public double SftWeight { get; init; }

    /// <summary>Pairs of a micro-batch.</summary>
    [Description("Pairs of a micro-batch."), Range(1, 1_000_000)]
    public int MicroBatchPairs { get; init; } = 8;

    /// <summary>Micro-batches of an update.</summary>
    [Description("Micro-batches of an update."), Range(1, 1_000_000)]
    public int Accumulation { get; init; } = 1;

    /// <summary>For tests.</summary>
    public static SimpoOptions Tiny() => new() { SequenceLength = 128, MicroBatchPairs = 4, LearningRate = 1e-3 };

    /// <summary>What a model of a million parameters wants.</summary>
    public static SimpoOptions Million() => new() { LearningRate = 2.5e-4, MicroBatchPairs = 16 };
}
