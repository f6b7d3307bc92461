using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Attune.Torch.Losses.Dpo;

/// <summary>−(1 − ε) ln σ(βΔ) − ε ln σ(−βΔ): conservative DPO, labels flipped with probability ε (Mitchell, 2023).</summary>
internal static class CdpoForm
{
    public static Tensor Of(PairLogProbs p, double beta, double smoothing) => Smoothed(beta * p.Delta, smoothing);

    /// <summary>Of margins βδ however they were made.</summary>
    public static Tensor Smoothed(Tensor margins, double smoothing) =>
        -(1 - smoothing) * logsigmoid(margins) - smoothing * logsigmoid(-margins);
}
