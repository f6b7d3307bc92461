using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Attune.Torch.Stages;

/// <summary>Options of <see cref="Reward"/>: from preferences to a model that scores answers.</summary>
public sealed record RewardOptions : TuningOptions
{
    /// <summary>The defaults of a reward model.</summary>
    public RewardOptions() => (LearningRate, SequenceLength, DecayShare) = (1e-5, 512, 1);

    /// <summary>A reward model that is trained as another stage is: with its data, rates, device and all else that every training has.</summary>
    public RewardOptions(TrainingOptions training)
        : base(training)
    {
    }

    /// <summary>The prompt contract.</summary>
    [Description("Prompt contract that answers are rendered by; the parent's unless given.")]
    public string? Contract { get; init; }

    /// <summary>The contract may break the parent's.</summary>
    [Description("The new version may break the prompt contract that trained its parent; its lineage says in what.")]
    public bool ContractChange { get; init; }

    /// <summary>The likelihood.</summary>
    [Description("What the preferences are taken for: pairs (Bradley–Terry) or rankings (Plackett–Luce over all answers of a prompt).")]
    public string Likelihood { get; init; } = "pairs";

    /// <summary>c: on, for what TRL leaves out it recommends, and without it scores of two models have no common zero.</summary>
    [Description("Weight of (r_chosen + r_rejected)²: keeps rewards near zero. 0.01 is recommended, 0 leaves it out."), Range(0, 1000)]
    public double Centring { get; init; } = 0.01;

    /// <summary>What the pairs' margins are multiplied by: 0 where TRL takes them as they are, for what a margin is worth in reward depends on who gave it.</summary>
    [Description("Multiplies the margins of the data, which the difference of rewards must exceed; 0 ignores them."), Range(0, 1000)]
    public double MarginScale { get; init; }

    /// <summary>Pairs (or rankings) of a micro-batch.</summary>
    [Description("Pairs or rankings of a micro-batch."), Range(1, 1_000_000)]
    public int MicroBatchPairs { get; init; } = 8;

    /// <summary>Micro-batches of an update.</summary>
    [Description("Micro-batches of an update."), Range(1, 1_000_000)]
    public int Accumulation { get; init; } = 1;

    /// <summary>For tests.</summary>
    public static RewardOptions Tiny() => new() { SequenceLength = 128, MicroBatchPairs = 4, LearningRate = 3e-3 };

    /// <summary>What a model of a million parameters wants.</summary>
    public static RewardOptions Million() => new() { LearningRate = 5e-4, MicroBatchPairs = 16 };
}
