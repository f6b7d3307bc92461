using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Attune.Torch.Losses;

/// <summary>
/// Simple preference optimisation (Meng, Xia and Chen, arXiv 2405.14734), without a reference: −ln σ(β(l_c − l_r) − γ), l the
/// mean log-probability of a completion. γ is the target margin itself, as TRL's simpo_gamma.
/// </summary>
public static class SimpoLoss
{
    /// <summary>The mean over the P pairs of a micro-batch.</summary>
    /// <param name="chosen_P">l_c.</param>
    /// <param name="rejected_P">l_r.</param>
    /// <param name="beta">β.</param>
    /// <param name="gamma">γ.</param>
    public static Tensor Of(Tensor chosen_P, Tensor rejected_P, double beta, double gamma)
    {
        using var scope = NewDisposeScope();
        return (-logsigmoid(beta * (chosen_P - rejected_P) - gamma).mean()).MoveToOuterDisposeScope();
    }
}
