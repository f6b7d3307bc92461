using Attune.Core.Data;
using Attune.Torch.Kernels;
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
    /// <param name="temperature">Divides the logits (through the hidden states, which they are linear in): where tokens were drawn at a temperature, their probabilities are those at it.</param>
    public static Tensor LogProbs(this Decoder decoder, RaggedBatch batch, bool even = false, double temperature = 1)
    {
        using var scope = NewDisposeScope();
        using var stream = TokenStream.Of(batch, decoder.Device);
        var needed = NeededRows.Labelled(batch);
        var hidden_MD = decoder.HiddenOf(stream, needed);
        if (temperature != 1)
            hidden_MD = hidden_MD / temperature;
        if (needed is null)
            return decoder.TokenLogProbs(hidden_MD, stream.Targets_N, even).MoveToOuterDisposeScope();
        using var index_M = needed.Index(decoder.Device);
        var logProbs_M = decoder.TokenLogProbs(hidden_MD, stream.Targets_N.index_select(0, index_M), even);
        return needed.Spread(logProbs_M, stream.Tokens).MoveToOuterDisposeScope();
    }

    /// <summary>Every parameter by its Hugging Face name.</summary>
    public static IEnumerable<(string Name, Tensor Value)> Weights(this nn.Module module) =>
        module.named_parameters().Select(p => (p.name, (Tensor)p.parameter));
}
