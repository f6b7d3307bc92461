using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Attune.Torch.Losses.Dpo;

/// <summary>Anchored preference optimisation (D’Oosterlinck et al., arXiv 2408.06266).</summary>
internal static class ApoForm
{
    /// <summary>1 − σ(βu) + σ(βv): raises the chosen, lowers the rejected.</summary>
    public static Tensor Zero(PairLogProbs p, double beta, double smoothing) => 1 - (beta * p.U).sigmoid() + (beta * p.V).sigmoid();

    /// <summary>σ(βu) + 1 − σ(βΔ): lowers both, the rejected more; for a policy better than its chosen answers.</summary>
    public static Tensor Down(PairLogProbs p, double beta, double smoothing) => (beta * p.U).sigmoid() + 1 - (beta * p.Delta).sigmoid();
}
