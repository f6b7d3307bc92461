using System.Globalization;

namespace Attune.Core.Checkpoints;

/// <summary>The one place for the names that Hugging Face gives the tensors of a <c>LlamaForCausalLM</c>.</summary>
public static class LlamaNames
{
    /// <summary>[V, D]</summary>
    public const string Embedding = "model.embed_tokens.weight";

    /// <summary>[D]</summary>
    public const string FinalNorm = "model.norm.weight";

    /// <summary>[V, D]; absent where the embedding is tied.</summary>
    public const string Head = "lm_head.weight";

    /// <summary>[D], before attention.</summary>
    public static string InputNorm(int layer) => Layer(layer, "input_layernorm");

    /// <summary>[D], before the feed-forward part.</summary>
    public static string PostAttentionNorm(int layer) => Layer(layer, "post_attention_layernorm");

    /// <summary>[H·C, D]</summary>
    public static string Query(int layer) => Layer(layer, "self_attn.q_proj");

    /// <summary>[K·C, D]</summary>
    public static string Key(int layer) => Layer(layer, "self_attn.k_proj");

    /// <summary>[K·C, D]</summary>
    public static string Value(int layer) => Layer(layer, "self_attn.v_proj");

    /// <summary>[D, H·C]</summary>
    public static string Output(int layer) => Layer(layer, "self_attn.o_proj");

    /// <summary>[F, D]</summary>
    public static string Gate(int layer) => Layer(layer, "mlp.gate_proj");

    /// <summary>[F, D]</summary>
    public static string Up(int layer) => Layer(layer, "mlp.up_proj");

    /// <summary>[D, F]</summary>
    public static string Down(int layer) => Layer(layer, "mlp.down_proj");

    /// <summary>Every tensor of a model with its shape, in the order of the forward pass; a tied head is not among them.</summary>
    public static IEnumerable<(string Name, long[] Shape)> All(DecoderConfig config)
    {
        long d = config.HiddenSize, f = config.IntermediateSize, q = (long)config.Heads * config.HeadSize, kv = (long)config.KeyValueHeads * config.HeadSize;
        yield return (Embedding, [config.VocabularySize, d]);
        for (var i = 0; i < config.Layers; i++)
        {
            yield return (InputNorm(i), [d]);
            yield return (Query(i), [q, d]);
            yield return (Key(i), [kv, d]);
            yield return (Value(i), [kv, d]);
            yield return (Output(i), [d, q]);
            yield return (PostAttentionNorm(i), [d]);
            yield return (Gate(i), [f, d]);
            yield return (Up(i), [f, d]);
            yield return (Down(i), [d, f]);
        }
        yield return (FinalNorm, [d]);
        if (!config.TiedEmbeddings)
            yield return (Head, [config.VocabularySize, d]);
    }

    /// <summary>Checks that the weights hold what the config asks for, with the right shapes, before anything is computed.</summary>
    /// <exception cref="CheckpointException">ATT2013: a tensor is missing; ATT2016: one has another shape, or is one that the config does not know.</exception>
    public static void Check(DecoderConfig config, WeightFiles weights)
    {
        var expected = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, shape) in All(config))
        {
            expected.Add(name);
            if (!weights[name].Shape.SequenceEqual(shape))
                throw new CheckpointException("ATT2016", $"Its shape is {weights[name].ShapeText}; config.json asks for [{string.Join(", ", shape)}].") { Field = name };
        }
        foreach (var tensor in weights.Tensors)
        {
            // Old checkpoints keep the rotary frequencies and a copy of a tied head; both say nothing new.
            if (!expected.Contains(tensor.Name) && tensor.Name != Head && !tensor.Name.EndsWith(".rotary_emb.inv_freq", StringComparison.Ordinal))
                throw new CheckpointException("ATT2016", "The weights hold a tensor that this architecture does not have.") { Field = tensor.Name };
        }
    }

    private static string Layer(int layer, string part) => string.Create(CultureInfo.InvariantCulture, $"model.layers.{layer}.{part}.weight");
}
