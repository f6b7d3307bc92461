using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Attune.Torch.Losses.Dpo;

/// <summary>[−(1 − ε) ln σ(βΔ) + ε ln σ(−βΔ)] / (1 − 2ε): unbiased under labels flipped with probability ε (Chowdhury et al., arXiv 2403.00409).</summary>
internal static class RobustForm
{
    public static Tensor Of(PairLogProbs p, double beta, double smoothing)
    {
        var margins = beta * p.Delta;
        return (-(1 - smoothing) * logsigmoid(margins) + smoothing * logsigmoid(-margins)) / (1 - 2 * smoothing);
    }
}
