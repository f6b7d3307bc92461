namespace Attune.Core.Checkpoints;

/// <summary>
/// The shape of a decoder, whatever family it comes from: what the training decoder and the inference engine
/// are built from. <c>HuggingFaceConfig</c> reads it from config.json and writes it back.
/// </summary>
public sealed record DecoderConfig
{
    /// <summary>The Hugging Face class, <c>LlamaForCausalLM</c>.</summary>
    public string Architecture { get; init; } = "LlamaForCausalLM";

    /// <summary>Rows of the embedding.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>D: width of the residual stream.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>F: width of the feed-forward layer.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Number of blocks.</summary>
    public required int Layers { get; init; }

    /// <summary>H: query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>K: key and value heads; divides H.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>C: width of one head.</summary>
    public required int HeadSize { get; init; }

    /// <summary>The window the model declares, in tokens.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Base of the rotary frequencies.</summary>
    public double RopeTheta { get; init; } = 10_000;

    /// <summary>Added under the root in RMSNorm.</summary>
    public double NormEpsilon { get; init; } = 1e-5;

    /// <summary>Whether the output head is the embedding itself.</summary>
    public bool TiedEmbeddings { get; init; }

    /// <summary>Standard deviation of the initial weights.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Ids of the special tokens, null where the model names none.</summary>
    public int? BosTokenId { get; init; }

    /// <inheritdoc cref="BosTokenId"/>
    public IReadOnlyList<int> EosTokenIds { get; init; } = [];

    /// <inheritdoc cref="BosTokenId"/>
    public int? PadTokenId { get; init; }

    /// <summary>The type that the weights are stored in, as config.json spells it: <c>float32</c>, <c>bfloat16</c>…</summary>
    public string Dtype { get; init; } = "float32";

    /// <summary>Parameters of the whole model, a tied embedding counted once.</summary>
    public long Parameters
    {
        get
        {
            long attention = (long)HiddenSize * HeadSize * (2 * Heads + 2 * KeyValueHeads);
            long feedForward = 3L * HiddenSize * IntermediateSize;
            long embedding = (long)VocabularySize * HiddenSize * (TiedEmbeddings ? 1 : 2);
            return Layers * (attention + feedForward + 2L * HiddenSize) + HiddenSize + embedding;
        }
    }
}
