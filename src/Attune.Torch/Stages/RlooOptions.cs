using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Attune.Torch.Stages;

/// <summary>Options of <see cref="Grpo.Run(RlooOptions, StageContext)"/>: REINFORCE with the mean of the other answers as baseline.</summary>
public sealed record RlooOptions : RolloutOptions
{
    /// <summary>Four answers a prompt, for the mean of one other (TRL takes two answers) is a noisy baseline; KL inside the reward.</summary>
    public RlooOptions() => (LearningRate, SequenceLength, DecayShare, Prompts, Samples) = (1e-6, 512, 1, 16, 4);

    /// <summary>β.</summary>
    [Description("What a nat of KL to the parent costs, in reward; 0 needs no reference model."), Range(0, 1000)]
    public double Beta { get; init; } = 0.05;

    /// <summary>ε.</summary>
    [Description("Clip of the ratio."), Range(0, 1, MinimumIsExclusive = true)]
    public double PolicyClip { get; init; } = 0.2;

    /// <summary>For tests.</summary>
    public static RlooOptions Tiny() => new() { SequenceLength = 128, Prompts = 4, Samples = 4, MaxNewTokens = 8, LearningRate = 1e-3 };

    /// <summary>What a model of a million parameters wants.</summary>
    public static RlooOptions Million() => new() { LearningRate = 1e-4, Prompts = 16, MaxNewTokens = 48 };
}
