using Attune.Core.Data;
using Attune.Torch.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Stages;

/// <summary>A decoder as stages use it.</summary>
public static class DecoderPasses
{
    /// <summary>ln p of every target of a batch, N; 0 where a position has none.</summary>
    /// <param name="decoder">The model.</param>
    /// <param name="batch">Rows and targets.</param>
    /// <param name="even">The loss will weigh every target alike (see <see cref="Decoder.TokenLogProbs"/>).</param>
    public static Tensor LogProbs(this Decoder decoder, RaggedBatch batch, bool even = false)
    {
        using var scope = NewDisposeScope();
        using var stream = TokenStream.Of(batch, decoder.Device);
        return decoder.TokenLogProbs(decoder.Hidden(stream), stream.Targets_N, even).MoveToOuterDisposeScope();
    }

    /// <summary>Every parameter by its Hugging Face name.</summary>
    public static IEnumerable<(string Name, Tensor Value)> Weights(this Decoder decoder) =>
        decoder.named_parameters().Select(p => (p.name, (Tensor)p.parameter));
}
