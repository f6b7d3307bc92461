using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Losses;

/// <summary>
/// KL(π‖ref) of single tokens drawn from π (Schulman, <i>Approximating KL divergence</i>, 2020), with d = ln π − ln ref.
/// </summary>
public static class KlEstimate
{
    /// <summary>The estimators there are.</summary>
    public static IReadOnlyList<string> Names { get; } = ["k1", "k3"];

    /// <summary>k1 = d: unbiased, of either sign.</summary>
    public static double K1(double logProb, double reference) => logProb - reference;

    /// <summary>k3 = e^(−d) − 1 + d: unbiased, never negative, of smaller variance.</summary>
    public static double K3(double logProb, double reference) => Math.Exp(reference - logProb) - 1 - (reference - logProb);

    /// <summary>k3 with its gradient, as a term of a loss; M tokens.</summary>
    public static Tensor K3(Tensor logProbs_M, Tensor reference_M)
    {
        using var scope = NewDisposeScope();
        var difference_M = reference_M - logProbs_M;
        return (difference_M.exp() - difference_M - 1).MoveToOuterDisposeScope();
    }
}
