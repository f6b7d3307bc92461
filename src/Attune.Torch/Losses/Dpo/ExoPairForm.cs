using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Attune.Torch.Losses.Dpo;

/// <summary>σ(βΔ)(ln σ(βΔ) − ln(1 − ε)) + σ(−βΔ)(ln σ(−βΔ) − ln ε): reverse KL to smoothed labels (Ji et al., arXiv 2402.00856).</summary>
internal static class ExoPairForm
{
    public static Tensor Of(PairLogProbs p, double beta, double smoothing)
    {
        var margins = beta * p.Delta;
        return margins.sigmoid() * (logsigmoid(margins) - Math.Log(1 - smoothing))
            + (-margins).sigmoid() * (logsigmoid(-margins) - Math.Log(smoothing));
    }
}
