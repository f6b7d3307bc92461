using System.Globalization;

namespace Attune.Core.Checkpoints;

/// <summary>The one place for the names that Hugging Face gives the tensors of a <c>LlamaForCausalLM</c> and of
/// the families that follow it.</summary>
public static class LlamaNames
{
    /// <summary>[V, D]</summary>
    public const string Embedding = "model.embed_tokens.weight";

    /// <summary>[D]</summary>
    public const string FinalNorm = "model.norm.weight";

    /// <summary>[V, D]; absent where the embedding is tied.</summary>
    public const string Head = "lm_head.weight";

    /// <summary>[1, D], in place of a head, in a reward model.</summary>
    public const string Score = "score.weight";

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

    /// <inheritdoc cref="TensorNames.All"/>
    public static IEnumerable<(string Name, long[] Shape)> All(DecoderConfig config) => TensorNames.All(config);

    /// <inheritdoc cref="TensorNames.Check"/>
    public static void Check(DecoderConfig config, WeightFiles weights) => TensorNames.Check(config, weights);

    /// <summary>[C] or [H·C]: norm of the queries, where there is one.</summary>
    public static string QueryNorm(int layer) => Layer(layer, "self_attn.q_norm");

    /// <summary>[C] or [K·C]: norm of the keys, where there is one.</summary>
    public static string KeyNorm(int layer) => Layer(layer, "self_attn.k_norm");

    /// <summary>[D], before the feed-forward layer where norms stand before and after.</summary>
    public static string PreFeedForwardNorm(int layer) => Layer(layer, "pre_feedforward_layernorm");

    /// <summary>[D], after the feed-forward layer.</summary>
    public static string PostFeedForwardNorm(int layer) => Layer(layer, "post_feedforward_layernorm");

    /// <summary>[(H + 2K)·C, D]: queries, keys and values in one (Phi-3).</summary>
    public static string QueryKeyValue(int layer) => Layer(layer, "self_attn.qkv_proj");

    /// <summary>[2F, D]: gate and up in one (Phi-3).</summary>
    public static string GateUp(int layer) => Layer(layer, "mlp.gate_up_proj");

    /// <summary>The bias that belongs to a weight.</summary>
    public static string Bias(string weight) => string.Concat(weight.AsSpan(0, weight.Length - "weight".Length), "bias");

    private static string Layer(int layer, string part) => string.Create(CultureInfo.InvariantCulture, $"model.layers.{layer}.{part}.weight");
}
