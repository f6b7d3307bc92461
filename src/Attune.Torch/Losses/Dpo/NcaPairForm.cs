using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Attune.Torch.Losses.Dpo;

/// <summary>−ln σ(βu) − ½ ln σ(−βu) − ½ ln σ(−βv): noise-contrastive alignment (Chen et al., arXiv 2402.05369).</summary>
internal static class NcaPairForm
{
    public static Tensor Of(PairLogProbs p, double beta, double smoothing) =>
        -logsigmoid(beta * p.U) - 0.5 * logsigmoid(-beta * p.U) - 0.5 * logsigmoid(-beta * p.V);
}
