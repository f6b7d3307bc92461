namespace Attune.Torch.Tests;

/// <summary>How close we come to the reference vectors: shared/vectors/README.md, in one place.</summary>
public static class TrainingTolerances
{
    /// <summary>The loss of a step, and of a single loss equation.</summary>
    public const double Loss = 1e-5;

    /// <summary>PPO's arithmetic on given arrays.</summary>
    public const double Ppo = 1e-6;

    /// <summary>A gradient norm, relative.</summary>
    public const double GradientNorm = 1e-4;

    /// <summary>A weight after the last step.</summary>
    public const double FinalWeights = 1e-4;

    /// <summary>A learning rate, relative to the full rate.</summary>
    public const double Schedule = 1e-9;

    /// <summary>A weight after an AdamW step.</summary>
    public const double AdamW = 1e-6;

    /// <summary>A weight after a Muon step: torch's Newton–Schulz runs in bfloat16, ours in float32.</summary>
    public const double Muon = 1e-3;
}
