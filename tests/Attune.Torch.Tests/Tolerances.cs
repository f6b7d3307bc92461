namespace Attune.Torch.Tests;

/// <summary>How close results must come to the reference: the table of shared/vectors/README.md, in one place.</summary>
public static class Tolerances
{
    /// <summary>Logits and hidden states, absolute.</summary>
    public const double Logits = 1e-4;

    /// <summary>Losses, absolute.</summary>
    public const double Loss = 1e-5;

    /// <summary>Gradients, relative to the largest of the tensor.</summary>
    public const double Gradient = 1e-4;

    /// <summary>Greedy tokens are compared where the reference's margin exceeds this.</summary>
    public const double GreedyMargin = 1e-4;

    /// <summary>Our kernels against the plain path, relative to the largest of the tensor: float32 sums in another order.</summary>
    public const double Kernel = 2e-5;
}
