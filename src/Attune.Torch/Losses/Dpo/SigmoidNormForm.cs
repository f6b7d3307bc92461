using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Attune.Torch.Losses.Dpo;

/// <summary>−ln σ(β(u/n_c − v/n_r)): DPO with log-ratios averaged by length (TRL).</summary>
internal static class SigmoidNormForm
{
    public static Tensor Of(PairLogProbs p, double beta, double smoothing) => -logsigmoid(beta * p.MeanDelta);
}
