using System.Collections.Frozen;
using System.Text.Json.Nodes;

namespace Attune.Core.Checkpoints;

/// <summary>
/// generation_config.json: how a checkpoint's makers sample from it. A null means that they did not say.
/// </summary>
public sealed record GenerationConfig
{
    /// <summary>Id that begins a text.</summary>
    public int? BosTokenId { get; init; }

    /// <summary>Ids that end one.</summary>
    public IReadOnlyList<int> EosTokenIds { get; init; } = [];

    /// <summary>Id that fills up a batch.</summary>
    public int? PadTokenId { get; init; }

    /// <summary>Whether to sample; otherwise the likeliest token is taken.</summary>
    public bool DoSample { get; init; }

    /// <summary>Divides the logits.</summary>
    public double? Temperature { get; init; }

    /// <summary>Keeps the likeliest tokens, this many.</summary>
    public int? TopK { get; init; }

    /// <summary>Keeps the likeliest tokens up to this share.</summary>
    public double? TopP { get; init; }

    /// <summary>Keeps tokens of at least this share of the likeliest one's.</summary>
    public double? MinP { get; init; }

    /// <summary>Keeps tokens of typical surprise, up to this share.</summary>
    public double? TypicalP { get; init; }

    /// <summary>Divides the logits of tokens that were there before.</summary>
    public double? RepetitionPenalty { get; init; }

    /// <summary>Forbids to say so many tokens again in the same order.</summary>
    public int? NoRepeatNgramSize { get; init; }

    /// <summary>Most tokens to make.</summary>
    public int? MaxNewTokens { get; init; }

    /// <summary>Most tokens of prompt and answer together.</summary>
    public int? MaxLength { get; init; }

    /// <summary>Keys that change no token of ours. Source: transformers' GenerationConfig, what is returned and how it is cached.</summary>
    private static readonly FrozenSet<string> ChangeNothing = FrozenSet.ToFrozenSet(
    [
        "_from_model_config", "transformers_version", "use_cache", "cache_implementation", "cache_config", "output_attentions", "output_hidden_states",
        "output_scores", "output_logits", "return_dict_in_generate", "num_return_sequences", "max_time", "disable_compile", "low_memory", "transformers_weights",
        "trust_remote_code", "chat_format", "assistant_confidence_threshold", "num_assistant_tokens", "num_assistant_tokens_schedule", "prefill_chunk_size",
        "decoder_start_token_id", "return_legacy_cache", "compile_config", "token_healing", "is_assistant", "target_lookbehind", "assistant_lookbehind",
    ], StringComparer.Ordinal);

    /// <summary>Reads generation_config.json.</summary>
    /// <exception cref="CheckpointException">ATT2003, ATT2020 to ATT2022: no file, not JSON, an impossible value, a way of generating that Attune has not.</exception>
    public static GenerationConfig Read(string path)
    {
        var reader = new ConfigReader(HuggingFaceJson.Read(path), path);
        foreach (var key in (string[])["num_beams", "num_beam_groups"])
            reader.Only(key, "beam search", 1);
        reader.Only("penalty_alpha", "contrastive search", 0, 0.0);
        reader.Only("length_penalty", "beam search", 1, 1.0);
        reader.Only("diversity_penalty", "beam search", 0, 0.0);
        reader.Only("early_stopping", "beam search", false);
        reader.Only("encoder_repetition_penalty", "an encoder", 1, 1.0);
        reader.Only("encoder_no_repeat_ngram_size", "an encoder", 0);
        reader.Only("epsilon_cutoff", "this cut of the distribution", 0, 0.0);
        reader.Only("eta_cutoff", "this cut of the distribution", 0, 0.0);
        reader.Only("renormalize_logits", "changes the order of the filters", false);
        reader.Only("remove_invalid_values", "hides broken logits", false);
        reader.Only("min_length", "a least length", 0);
        reader.Only("min_new_tokens", "a least length", 0);
        var config = new GenerationConfig
        {
            BosTokenId = reader.TokenId("bos_token_id", null),
            EosTokenIds = reader.TokenIds("eos_token_id", null),
            PadTokenId = reader.TokenId("pad_token_id", null),
            DoSample = reader.Flag("do_sample"),
            Temperature = reader.Number("temperature"),
            TopK = reader.Has("top_k") ? reader.Int("top_k", least: 0) : null,
            TopP = reader.Number("top_p"),
            MinP = reader.Number("min_p"),
            TypicalP = reader.Number("typical_p"),
            RepetitionPenalty = reader.Number("repetition_penalty"),
            NoRepeatNgramSize = reader.Has("no_repeat_ngram_size") ? reader.Int("no_repeat_ngram_size", least: 0) : null,
            MaxNewTokens = reader.Has("max_new_tokens") ? reader.Int("max_new_tokens", least: 0) : null,
            MaxLength = reader.Has("max_length") ? reader.Int("max_length", least: 0) : null,
        };
        reader.RefuseTheRest(ChangeNothing);
        return config;
    }

    /// <summary>Writes generation_config.json as transformers 5 does: what is null is left out. Atomic.</summary>
    public static void Write(string path, GenerationConfig config)
    {
        var json = new JsonObject
        {
            ["_from_model_config"] = true,
            ["bos_token_id"] = config.BosTokenId,
            ["do_sample"] = config.DoSample ? true : null,
            ["eos_token_id"] = HuggingFaceConfig.TokenIds(config.EosTokenIds),
            ["max_length"] = config.MaxLength,
            ["max_new_tokens"] = config.MaxNewTokens,
            ["min_p"] = config.MinP,
            ["no_repeat_ngram_size"] = config.NoRepeatNgramSize,
            ["output_attentions"] = false,
            ["output_hidden_states"] = false,
            ["pad_token_id"] = config.PadTokenId,
            ["repetition_penalty"] = config.RepetitionPenalty,
            ["temperature"] = config.Temperature,
            ["top_k"] = config.TopK,
            ["top_p"] = config.TopP,
            ["transformers_version"] = HuggingFaceConfig.TransformersVersion,
            ["typical_p"] = config.TypicalP,
            ["use_cache"] = true,
        };
        foreach (var key in json.Where(p => p.Value is null).Select(p => p.Key).ToArray())
            json.Remove(key);
        Atomic.WriteAllText(path, HuggingFaceJson.Format(json));
    }

    /// <summary>Writes the file of a model that was trained on: its own special tokens, and all else as its parent's makers wrote it. Atomic.</summary>
    /// <param name="path">generation_config.json.</param>
    /// <param name="config">The model's shape.</param>
    /// <param name="parent">The parent's file, or null.</param>
    public static void Write(string path, DecoderConfig config, string? parent)
    {
        if (parent is null)
        {
            Write(path, new GenerationConfig { BosTokenId = config.BosTokenId, EosTokenIds = config.EosTokenIds, PadTokenId = config.PadTokenId });
            return;
        }
        var json = HuggingFaceJson.Read(parent);
        foreach (var (key, id) in (ReadOnlySpan<(string, JsonNode?)>)[("bos_token_id", config.BosTokenId), ("eos_token_id", HuggingFaceConfig.TokenIds(config.EosTokenIds)), ("pad_token_id", config.PadTokenId)])
        {
            if (id is null)
                json.Remove(key);
            else
                json[key] = id;
        }
        Atomic.WriteAllText(path, HuggingFaceJson.Format(json));
    }
}
