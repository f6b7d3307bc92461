using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Attune.Torch.Losses.Dpo;

/// <summary>max(0, 1 − βΔ): SLiC (Zhao et al., arXiv 2305.10425).</summary>
internal static class HingeForm
{
    public static Tensor Of(PairLogProbs p, double beta, double smoothing) => (1 - beta * p.Delta).relu();
}
