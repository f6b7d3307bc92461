using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Attune.Torch.Stages;

/// <summary>Options of <see cref="Ppo"/>: reinforcement learning from a reward model's or a rule's scores.</summary>
public sealed record PpoOptions : RolloutOptions
{
    /// <summary>TRL's defaults: rate 3e-6, four passes, temperature .7.</summary>
    public PpoOptions() => (LearningRate, SequenceLength, DecayShare, Passes, Temperature) = (3e-6, 512, 1, 4, 0.7);

    /// <summary>β of the start.</summary>
    [Description("What a nat of KL to the parent costs, in reward; where it starts if --kl-target is given."), Range(0, 1000)]
    public double KlCoefficient { get; init; } = 0.05;

    /// <summary>The KL that the coefficient is steered to.</summary>
    [Description("KL to the parent, in nats an answer, that the coefficient is steered to; left out it stays as it is."), Range(0, 1e6, MinimumIsExclusive = true)]
    public double? KlTarget { get; init; }

    /// <summary>Answers in which the coefficient can change by its own size.</summary>
    [Description("How slowly the coefficient is steered, in answers."), Range(1, 1e9)]
    public double KlHorizon { get; init; } = 10_000;

    /// <summary>k1 or k3.</summary>
    [Description("Estimator of the KL of a token: k1 or k3.")]
    public string KlEstimator { get; init; } = "k1";

    /// <summary>γ.</summary>
    [Description("Discount of later rewards."), Range(0, 1)]
    public double Gamma { get; init; } = 1;

    /// <summary>λ.</summary>
    [Description("Lambda of generalised advantage estimation."), Range(0, 1)]
    public double Lambda { get; init; } = 0.95;

    /// <summary>ε of the policy.</summary>
    [Description("Clip of the policy's ratio."), Range(0, 1, MinimumIsExclusive = true)]
    public double PolicyClip { get; init; } = 0.2;

    /// <summary>ε of the values.</summary>
    [Description("Clip of the values' change."), Range(0, 1e6, MinimumIsExclusive = true)]
    public double ValueClip { get; init; } = 0.2;

    /// <summary>Weight of the value loss.</summary>
    [Description("Weight of the value loss."), Range(0, 1000)]
    public double ValueCoefficient { get; init; } = 0.1;

    /// <summary>Whether the rewards are scaled.</summary>
    [Description("Scale the rewards of an iteration to unit variance, mean kept.")]
    public bool WhitenRewards { get; init; }

    /// <summary>What the value model starts from.</summary>
    [Description("What the value model starts from: reward (the reward model, head and all) or policy (the parent's body under a new head); reward unless there is none.")]
    public string? ValueFrom { get; init; }

    /// <summary>For tests.</summary>
    public static PpoOptions Tiny() => new() { SequenceLength = 128, Prompts = 4, Samples = 2, MaxNewTokens = 8, LearningRate = 1e-3, Passes = 2, MiniBatches = 2 };

    /// <summary>What a model of a million parameters wants.</summary>
    public static PpoOptions Million() => new() { LearningRate = 1e-4, Prompts = 64, MaxNewTokens = 48, MiniBatches = 2 };
}
