using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Attune.Core.Versions;

namespace Attune.Torch.Stages;

/// <summary>Options of <see cref="Dpo"/>: from preference pairs to a version that prefers the chosen.</summary>
public sealed record DpoOptions : TuningOptions
{
    /// <summary>The defaults of a preference stage: a rate a thousand times smaller than pretraining's.</summary>
    public DpoOptions() => (LearningRate, SequenceLength, DecayShare) = (1e-6, 512, 1);

    /// <summary>What the new version is called.</summary>
    [Description("Kind of the new version: base, instruct or chat; chat unless given.")]
    public VersionKind? Kind { get; init; }

    /// <summary>The prompt contract.</summary>
    [Description("Prompt contract of the new version; the parent's unless given.")]
    public string? Contract { get; init; }

    /// <summary>The contract may break the parent's.</summary>
    [Description("The new version may break the prompt contract that trained its parent; its lineage says in what.")]
    public bool ContractChange { get; init; }

    /// <summary>The equation.</summary>
    [Description("The loss: sigmoid (DPO), offset, cdpo, robust, hinge, ipo, sigmoid_norm, exo_pair, nca_pair, bco_pair, sppo_hard, aot, aot_unpaired, apo_zero, apo_down, discopop; listwise takes whole rankings.")]
    public string Loss { get; init; } = "sigmoid";

    /// <summary>β.</summary>
    [Description("Beta: how dear it is to leave the parent. Larger stays closer."), Range(0, 1000, MinimumIsExclusive = true)]
    public double Beta { get; init; } = 0.1;

    /// <summary>ε.</summary>
    [Description("Share of pairs taken to be labelled the wrong way round (cdpo, robust, exo_pair, aot)."), Range(0, 0.5, MaximumIsExclusive = true)]
    public double LabelSmoothing { get; init; }

    /// <summary>What the pairs' margins are multiplied by.</summary>
    [Description("Multiplies the margins of the data (offset): β times the difference of the log-ratios must exceed it."), Range(0, 1000)]
    public double MarginScale { get; init; } = 1;

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
    public static DpoOptions Tiny() => new() { SequenceLength = 128, MicroBatchPairs = 4, LearningRate = 1e-3 };

    /// <summary>What a model of a million parameters wants.</summary>
    public static DpoOptions Million() => new() { LearningRate = 2.5e-4, MicroBatchPairs = 16 };
}
