using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>The stages there are.</summary>
public static class StageNames
{
    /// <summary>In the order of a model's life.</summary>
    public static IReadOnlyList<string> All { get; } = ["pretrain", "sft", "reward", "refresh", "ppo", "grpo", "rloo", "dpo", "kto", "orpo", "simpo"];

    /// <summary>Refuses a stage that is not built.</summary>
    /// <exception cref="TrainingException">ATT5101.</exception>
    public static void Check(string stage)
    {
        if (!All.Contains(stage))
            throw TrainingException.Unsupported("stage", stage, All);
    }
}
