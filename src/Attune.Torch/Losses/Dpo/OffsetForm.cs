using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Attune.Torch.Losses.Dpo;

/// <summary>−ln σ(βΔ − m): DPO with an offset, so that a pair which is far apart in the data must be far apart in the policy (Amini, Vieira and Cotterell, arXiv 2402.10571). m is the pair's margin.</summary>
internal static class OffsetForm
{
    public static Tensor Of(PairLogProbs p, double beta, double smoothing) => -logsigmoid(beta * p.Delta - p.Margins);
}
