using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Attune.Torch.Losses.Dpo;

/// <summary>(u/n_c − v/n_r − 1/(2β))²: IPO with log-ratios averaged by length (Azar et al., arXiv 2310.12036; the averaging as in TRL).</summary>
internal static class IpoForm
{
    public static Tensor Of(PairLogProbs p, double beta, double smoothing) => (p.MeanDelta - 1 / (2 * beta)).square();
}
