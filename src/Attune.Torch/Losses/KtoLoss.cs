using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Losses;

/// <summary>
/// Kahneman–Tversky optimisation (Ethayarajh et al., arXiv 2402.01306): answers that are labelled one by one. With u the
/// summed log-ratio of an answer to the reference and z what such ratios are on average,
/// desirable w_d (1 − σ(β(u − z))), undesirable w_u (1 − σ(β(z − u))).
/// </summary>
public static class KtoLoss
{
    /// <summary>The mean over the S answers of a micro-batch.</summary>
    /// <param name="ratios_S">u.</param>
    /// <param name="signs_S">+1 desirable, −1 undesirable.</param>
    /// <param name="weights_S">w_d or w_u.</param>
    /// <param name="z">From <see cref="Baseline"/>.</param>
    /// <param name="beta">β.</param>
    public static Tensor Of(Tensor ratios_S, Tensor signs_S, Tensor weights_S, Tensor z, double beta)
    {
        using var scope = NewDisposeScope();
        return (weights_S * (1 - (beta * signs_S * (ratios_S - z)).sigmoid())).mean().MoveToOuterDisposeScope();
    }

    /// <summary>z = max(0, mean u of answers to other prompts): an estimate of KL(π‖ref), which takes no gradient.</summary>
    /// <param name="mismatched_S">u of mismatched rows.</param>
    public static Tensor Baseline(Tensor mismatched_S)
    {
        using var scope = NewDisposeScope();
        return mismatched_S.detach().mean().clamp(min: 0).MoveToOuterDisposeScope();
    }
}
