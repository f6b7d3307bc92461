using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Attune.Torch.Losses.Dpo;

/// <summary>With m = σ(βΔ/.05): (1 − m)(−ln σ(βΔ)) + m e^(−βΔ): log-ratio modulated loss, found by search (Lu et al., arXiv 2406.08414).</summary>
internal static class DiscoPopForm
{
    private const double Temperature = 0.05;

    public static Tensor Of(PairLogProbs p, double beta, double smoothing)
    {
        var margins = beta * p.Delta;
        var modulation = (margins / Temperature).sigmoid();
        return (1 - modulation) * -logsigmoid(margins) + modulation * (-margins).exp();
    }
}
