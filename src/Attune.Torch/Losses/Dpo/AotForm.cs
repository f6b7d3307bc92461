using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Attune.Torch.Losses.Dpo;

/// <summary>Alignment by optimal transport (Melnyk et al., arXiv 2406.05882): sorted over the batch, so that the distribution of one side comes to dominate that of the other; then as cDPO.</summary>
internal static class AotForm
{
    /// <summary>Sorts π_c − π_r and ref_c − ref_r.</summary>
    public static Tensor Paired(PairLogProbs p, double beta, double smoothing) =>
        Dominance(p.Chosen - p.Rejected, p.ReferenceChosen - p.ReferenceRejected, beta, smoothing);

    /// <summary>Sorts u and v.</summary>
    public static Tensor Unpaired(PairLogProbs p, double beta, double smoothing) => Dominance(p.U, p.V, beta, smoothing);

    private static Tensor Dominance(Tensor above, Tensor below, double beta, double smoothing) =>
        CdpoForm.Smoothed(beta * (above.sort(0).Values - below.sort(0).Values), smoothing);
}
