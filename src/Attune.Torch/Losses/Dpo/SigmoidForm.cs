using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Attune.Torch.Losses.Dpo;

/// <summary>−ln σ(βΔ): DPO itself (Rafailov et al., arXiv 2305.18290).</summary>
internal static class SigmoidForm
{
    public static Tensor Of(PairLogProbs p, double beta, double smoothing) => -logsigmoid(beta * p.Delta);
}
