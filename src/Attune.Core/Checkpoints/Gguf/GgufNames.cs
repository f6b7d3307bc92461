using System.Globalization;
using System.Text.RegularExpressions;

namespace Attune.Core.Checkpoints.Gguf;

/// <summary>How a tensor differs between the two formats.</summary>
internal enum GgufTurn
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>Rows of each head: halves (Hugging Face) ↔ pairs (llama).</summary>
    Pairs,

    /// <summary>Transposed: GPT-2 stores [in, out].</summary>
    Transposed,

    /// <summary>One is added (GGUF) to Gemma's norms.</summary>
    PlusOne,
}

/// <summary>A tensor by both names.</summary>
/// <param name="HuggingFace">model.layers.0.self_attn.q_proj.weight</param>
/// <param name="Gguf">blk.0.attn_q.weight</param>
/// <param name="Shape">Hugging Face's shape, outermost first.</param>
/// <param name="Turn">How the values differ.</param>
/// <param name="Heads">How many heads the rows belong to, where they are turned.</param>
internal sealed record GgufPair(string HuggingFace, string Gguf, long[] Shape, GgufTurn Turn, int Heads)
{
    /// <summary>The shape in GGUF, outermost first.</summary>
    public long[] GgufShape => Turn == GgufTurn.Transposed ? [Shape[1], Shape[0]] : Shape;
}

/// <summary>
/// Every tensor of a model by Hugging Face's name and by llama.cpp's. Source: llama.cpp's gguf-py tensor_mapping.py and
/// conversion/*.py.
/// </summary>
internal static partial class GgufNames
{
    private static readonly Dictionary<string, string> Parts = new(StringComparer.Ordinal)
    {
        ["input_layernorm"] = "attn_norm",
        ["self_attn.q_proj"] = "attn_q",
        ["self_attn.k_proj"] = "attn_k",
        ["self_attn.v_proj"] = "attn_v",
        ["self_attn.qkv_proj"] = "attn_qkv",
        ["self_attn.o_proj"] = "attn_output",
        ["self_attn.q_norm"] = "attn_q_norm",
        ["self_attn.k_norm"] = "attn_k_norm",
        ["pre_feedforward_layernorm"] = "ffn_norm",
        ["post_feedforward_layernorm"] = "post_ffw_norm",
        ["mlp.gate_proj"] = "ffn_gate",
        ["mlp.up_proj"] = "ffn_up",
        ["mlp.down_proj"] = "ffn_down",
        // One matrix, [gate; up]: llama.cpp knows by its height.
        ["mlp.gate_up_proj"] = "ffn_up",
        ["ln_1"] = "attn_norm",
        ["attn.c_attn"] = "attn_qkv",
        ["attn.c_proj"] = "attn_output",
        ["ln_2"] = "ffn_norm",
        ["mlp.c_fc"] = "ffn_up",
        ["mlp.c_proj"] = "ffn_down",
    };

    private static readonly Dictionary<string, string> Whole = new(StringComparer.Ordinal)
    {
        ["model.embed_tokens"] = "token_embd",
        ["model.norm"] = "output_norm",
        ["lm_head"] = "output",
        ["transformer.wte"] = "token_embd",
        ["transformer.wpe"] = "position_embd",
        ["transformer.ln_f"] = "output_norm",
    };

    /// <summary>The pairs of a model, in the order of the forward pass.</summary>
    /// <exception cref="GgufException">ATT3305: llama.cpp has no name for a tensor.</exception>
    public static IReadOnlyList<GgufPair> Of(DecoderConfig config, GgufArchitecture architecture) => [.. TensorNames.All(config).Select(tensor =>
    {
        var (name, end) = (tensor.Name[..tensor.Name.LastIndexOf('.')], tensor.Name[tensor.Name.LastIndexOf('.')..]);
        var gguf = Translate(name, config) ?? throw GgufException.NoPlace(tensor.Name, "llama.cpp has no name for this tensor.");
        var turn = TurnOf(name, end, architecture);
        return new GgufPair(tensor.Name, gguf + end, tensor.Shape, turn, name.EndsWith("k_proj", StringComparison.Ordinal) ? config.KeyValueHeads : config.Heads);
    })];

    private static string? Translate(string name, DecoderConfig config)
    {
        if (Whole.TryGetValue(name, out var whole))
            return whole;
        if (InLayer().Match(name) is not { Success: true } match)
            return null;
        var part = match.Groups[2].Value;
        var gguf = part == "post_attention_layernorm"
            ? config.NormPlacement == NormPlacement.Before ? "ffn_norm" : "post_attention_norm"
            : Parts.GetValueOrDefault(part);
        return gguf is null ? null : string.Create(CultureInfo.InvariantCulture, $"blk.{match.Groups[1].Value}.{gguf}");
    }

    private static GgufTurn TurnOf(string name, string end, GgufArchitecture architecture) => name switch
    {
        _ when architecture.PairedRotation && (name.EndsWith(".q_proj", StringComparison.Ordinal) || name.EndsWith(".k_proj", StringComparison.Ordinal)) => GgufTurn.Pairs,
        _ when architecture.NormPlusOne && name.EndsWith("norm", StringComparison.Ordinal) => GgufTurn.PlusOne,
        _ when end == ".weight" && Conv1D().IsMatch(name) => GgufTurn.Transposed,
        _ => GgufTurn.None,
    };

    [GeneratedRegex(@"^(?:model\.layers|transformer\.h)\.(\d+)\.(.+)$")]
    private static partial Regex InLayer();

    [GeneratedRegex(@"\.(?:c_attn|c_proj|c_fc)$")]
    private static partial Regex Conv1D();
}
