using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Attune.Torch.Losses.Dpo;

/// <summary>−ln σ(βu) − ln σ(−βv): binary classifier optimisation without its running shift (Jung et al., arXiv 2404.04656).</summary>
internal static class BcoPairForm
{
    public static Tensor Of(PairLogProbs p, double beta, double smoothing) => -logsigmoid(beta * p.U) - logsigmoid(-beta * p.V);
}
