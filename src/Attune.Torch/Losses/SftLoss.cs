using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Losses;

/// <summary>
/// Cross-entropy per label token: −Σ ln p / L, with L the label tokens of the whole accumulated batch. Dividing each
/// micro-batch by its own tokens instead would weigh the tokens of short micro-batches more (transformers#34191).
/// </summary>
public static class SftLoss
{
    /// <param name="logProbs_N">ln p of each target, 0 where a position has none.</param>
    /// <param name="labelTokens">L.</param>
    /// <returns>A scalar; those of the micro-batches add up to the loss of the step.</returns>
    public static Tensor Of(Tensor logProbs_N, long labelTokens) => -logProbs_N.sum() / (double)labelTokens;
}
