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
    /// <param name="temperature">Divides the logits (through the hidden states, which they are linear in): where tokens were drawn at a temperature, their probabilities are those at it.</param>
    public static Tensor LogProbs(this Decoder decoder, RaggedBatch batch, bool even = false, double temperature = 1)
    {
        using var scope = NewDisposeScope();
        using var stream = TokenStream.Of(batch, decoder.Device);
        var hidden_ND = decoder.Hidden(stream);
        return decoder.TokenLogProbs(temperature == 1 ? hidden_ND : hidden_ND / temperature, stream.Targets_N, even).MoveToOuterDisposeScope();
    }

    /// <summary>Every parameter by its Hugging Face name.</summary>
    public static IEnumerable<(string Name, Tensor Value)> Weights(this nn.Module module) =>
        module.named_parameters().Select(p => (p.name, (Tensor)p.parameter));
}
