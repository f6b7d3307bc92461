using System.Globalization;

namespace Attune.Core.Checkpoints.Gguf;

/// <summary>How a tensor differs between the two formats.</summary>
internal enum GgufTurn
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>Rows of each head: halves (Hugging Face) ↔ pairs (llama).</summary>
    Pairs,

    /// <summary>Rows: head by head (GPT-NeoX) ↔ all queries, all keys, all values.</summary>
    Fused,

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
internal static class GgufNames
{
    /// <summary>The pairs of a model, in the order of the forward pass.</summary>
    /// <exception cref="GgufException">ATT3305: llama.cpp has no name for a tensor.</exception>
    public static IReadOnlyList<GgufPair> Of(DecoderConfig config, GgufArchitecture architecture) => [.. TensorNames.Parts(config).Select(tensor => new GgufPair(
        tensor.Name,
        NameOf(tensor, architecture),
        tensor.Shape,
        TurnOf(tensor, config.Names, architecture),
        tensor.Part == DecoderPart.Key ? config.KeyValueHeads : config.Heads))];

    private static string NameOf(DecoderTensor tensor, GgufArchitecture architecture)
    {
        var part = tensor.Part switch
        {
            DecoderPart.Embedding => "token_embd",
            DecoderPart.Positions => "position_embd",
            DecoderPart.AttentionNorm => "attn_norm",
            DecoderPart.Query => "attn_q",
            DecoderPart.Key => "attn_k",
            DecoderPart.Value => "attn_v",
            DecoderPart.QueryKeyValue => "attn_qkv",
            DecoderPart.Output => "attn_output",
            DecoderPart.QueryNorm => "attn_q_norm",
            DecoderPart.KeyNorm => "attn_k_norm",
            DecoderPart.AttentionOutNorm => "post_attention_norm",
            DecoderPart.FeedForwardNorm => architecture.FeedForwardNorm,
            DecoderPart.Gate => "ffn_gate",
            // Gate and up in one, [gate; up]: llama.cpp knows by its height.
            DecoderPart.Up or DecoderPart.GateUp => "ffn_up",
            DecoderPart.Down => "ffn_down",
            DecoderPart.FeedForwardOutNorm => "post_ffw_norm",
            DecoderPart.FinalNorm => "output_norm",
            DecoderPart.Head => "output",
            _ => throw GgufException.NoPlace(tensor.Name, "llama.cpp has no name for this tensor."),
        };
        var block = tensor.Layer < 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"blk.{tensor.Layer}.");
        return $"{block}{part}.{(tensor.IsBias ? "bias" : "weight")}";
    }

    private static GgufTurn TurnOf(DecoderTensor tensor, DecoderNames names, GgufArchitecture architecture) => tensor switch
    {
        { Part: DecoderPart.Query or DecoderPart.Key } when architecture.PairedRotation => GgufTurn.Pairs,
        { Part: DecoderPart.QueryKeyValue } when names.FusedByHead => GgufTurn.Fused,
        { Layer: >= 0, Shape.Length: 2 } when names.Transposed => GgufTurn.Transposed,
        { IsBias: false, Shape.Length: 1 } when architecture.NormPlusOne => GgufTurn.PlusOne,
        _ => GgufTurn.None,
    };
}
