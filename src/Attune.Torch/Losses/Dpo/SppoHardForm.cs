using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Attune.Torch.Losses.Dpo;

/// <summary>(u − 1/(2β))² + (v + 1/(2β))²: self-play preference optimisation with hard labels (Wu et al., arXiv 2405.00675).</summary>
internal static class SppoHardForm
{
    public static Tensor Of(PairLogProbs p, double beta, double smoothing) =>
        (p.U - 0.5 / beta).square() + (p.V + 0.5 / beta).square();
}
