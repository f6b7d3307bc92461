using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Attune.Torch.Stages;

/// <summary>Options of <see cref="Grpo"/>: answers to one prompt are compared with each other.</summary>
public sealed record GrpoOptions : RolloutOptions
{
    /// <summary>Eight answers a prompt, no reference.</summary>
    public GrpoOptions() => (LearningRate, SequenceLength, DecayShare, Prompts, Samples) = (1e-6, 512, 1, 8, 8);

    /// <summary>The form.</summary>
    [Description("The loss: dapo (per token of the whole update), grpo (per row), bnpo (per micro-batch), dr_grpo (sum over a constant), cispo.")]
    public string Loss { get; init; } = "dapo";

    /// <summary>Whether the ratio is of a whole answer.</summary>
    [Description("Take the ratio of a whole answer (GSPO) instead of each token's.")]
    public bool SequenceRatio { get; init; }

    /// <summary>How advantages are taken.</summary>
    [Description("Advantages: group ((r − mean)/sd), unscaled (r − mean, as dr_grpo wants), rloo (r − mean of the others). Left out it is what the loss wants.")]
    public string? Advantages { get; init; }

    /// <summary>β.</summary>
    [Description("Weight of the KL to the parent; 0 needs no reference model."), Range(0, 1000)]
    public double Beta { get; init; }

    /// <summary>ε_low.</summary>
    [Description("How far below one the ratio counts."), Range(0, 1, MaximumIsExclusive = true)]
    public double ClipLow { get; init; } = 0.2;

    /// <summary>ε_high.</summary>
    [Description("How far above one the ratio counts: 0.28 for dapo, 0.2 for others, for cispo the largest ratio (5) unless given."), Range(0, 1000)]
    public double? ClipHigh { get; init; }

    /// <summary>How advantages are taken, where it was left out too.</summary>
    internal string AdvantagesTaken => Advantages ?? (Loss == "dr_grpo" ? "unscaled" : "group");

    /// <summary>ε_high, where it was left out too.</summary>
    internal double ClipHighTaken => ClipHigh ?? Loss switch { "cispo" => 5, "dapo" => 0.28, _ => 0.2 };

    /// <summary>For tests.</summary>
    public static GrpoOptions Tiny() => new() { SequenceLength = 128, Prompts = 4, Samples = 4, MaxNewTokens = 8, LearningRate = 1e-3 };

    /// <summary>What a model of a million parameters wants.</summary>
    public static GrpoOptions Million() => new() { LearningRate = 1e-4, Prompts = 16, MaxNewTokens = 48 };
}
