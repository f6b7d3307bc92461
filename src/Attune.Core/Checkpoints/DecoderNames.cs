using System.Globalization;

namespace Attune.Core.Checkpoints;

/// <summary>
/// What a family calls its parts in files: the words of Hugging Face's tensor names. The defaults are Llama's, which most
/// families follow. Modules, weights and adapters all take their names from here.
/// </summary>
public sealed record DecoderNames
{
    /// <summary>Everything but the head.</summary>
    public string Body { get; init; } = "model";

    /// <summary>The table of tokens.</summary>
    public string Embedding { get; init; } = "embed_tokens";

    /// <summary>The table of positions, where there is one.</summary>
    public string Positions { get; init; } = "embed_positions";

    /// <summary>The list of blocks.</summary>
    public string Layers { get; init; } = "layers";

    /// <summary>After the last block.</summary>
    public string FinalNorm { get; init; } = "norm";

    /// <summary>Before attention.</summary>
    public string AttentionNorm { get; init; } = "input_layernorm";

    /// <summary>After attention, where norms stand there.</summary>
    public string AttentionOutNorm { get; init; } = "post_attention_layernorm";

    /// <summary>Before the feed-forward layer.</summary>
    public string FeedForwardNorm { get; init; } = "post_attention_layernorm";

    /// <summary>After it, where norms stand there.</summary>
    public string FeedForwardOutNorm { get; init; } = "post_feedforward_layernorm";

    /// <summary>The attention part of a block.</summary>
    public string Attention { get; init; } = "self_attn";

    /// <summary>Queries.</summary>
    public string Query { get; init; } = "q_proj";

    /// <summary>Keys.</summary>
    public string Key { get; init; } = "k_proj";

    /// <summary>Values.</summary>
    public string Value { get; init; } = "v_proj";

    /// <summary>Queries, keys and values in one matrix; null where they are three.</summary>
    public string? QueryKeyValue { get; init; }

    /// <summary>Whether that matrix lies head by head (q, k, v of the first, then of the second…) and not all queries first.</summary>
    public bool FusedByHead { get; init; }

    /// <summary>Attention's last matrix.</summary>
    public string Output { get; init; } = "o_proj";

    /// <summary>The norm of the queries, where there is one.</summary>
    public string QueryNorm { get; init; } = "q_norm";

    /// <summary>The norm of the keys.</summary>
    public string KeyNorm { get; init; } = "k_norm";

    /// <summary>The feed-forward part of a block.</summary>
    public string FeedForward { get; init; } = "mlp";

    /// <summary>Its gate.</summary>
    public string Gate { get; init; } = "gate_proj";

    /// <summary>Its first matrix.</summary>
    public string Up { get; init; } = "up_proj";

    /// <summary>Gate and first matrix in one; null where they are two.</summary>
    public string? GateUp { get; init; }

    /// <summary>Its last matrix.</summary>
    public string Down { get; init; } = "down_proj";

    /// <summary>The output matrix of a language model.</summary>
    public string Head { get; init; } = "lm_head";

    /// <summary>That of a reward model.</summary>
    public string Score { get; init; } = "score";

    /// <summary>Whether matrices lie with their inputs first, [I, O], as GPT-2's Conv1D does.</summary>
    public bool Transposed { get; init; }

    /// <summary>The beginning of a block's names: <c>model.layers.3.</c></summary>
    public string Block(int layer) => string.Create(CultureInfo.InvariantCulture, $"{Body}.{Layers}.{layer}.");
}
