using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Attune.Core.Checkpoints.Families;

namespace Attune.Core.Checkpoints;

/// <summary>
/// config.json, in the form that transformers 5 writes (<c>rope_parameters</c>, <c>dtype</c>) and in the older one
/// that most published checkpoints have (<c>rope_theta</c>, <c>rope_scaling</c>, <c>torch_dtype</c>).
/// A model must not quietly be run as another: unknown architectures, unknown keys and values that ask for more
/// than Attune can do are refused by name.
/// </summary>
public static class HuggingFaceConfig
{
    /// <summary>The transformers version whose layout <see cref="Write"/> follows.</summary>
    public const string TransformersVersion = "5.23.0";

    /// <summary>
    /// Keys that do not change what a decoder computes. Source: transformers' PreTrainedConfig ("Parameters" and the
    /// deprecated generation ones): what is returned, how it is cached, labels and names; dropouts act only while
    /// training in transformers, and Attune trains without dropout; pretraining_tp only splits matrix products.
    /// </summary>
    internal static readonly FrozenSet<string> ChangeNothing = FrozenSet.ToFrozenSet(
    [
        "_name_or_path", "name_or_path", "transformers_version", "model_type", "architectures", "use_cache", "return_dict", "return_dict_in_generate",
        "output_hidden_states", "output_attentions", "output_scores", "torchscript", "use_bfloat16", "attn_implementation", "_attn_implementation",
        "_attn_implementation_autoset", "_commit_hash", "_from_model_config", "unsloth_version", "unsloth_fixed", "finetuning_task", "task_specific_params",
        "problem_type", "id2label", "label2id", "num_labels", "tokenizer_class", "prefix", "sep_token_id", "decoder_start_token_id", "chunk_size_feed_forward",
        "attention_dropout", "attn_pdrop", "embd_pdrop", "resid_pdrop", "hidden_dropout", "embedding_dropout", "residual_dropout", "classifier_dropout",
        "summary_activation", "summary_first_dropout", "summary_proj_to_labels", "summary_type", "summary_use_proj", "pretraining_tp",
        "do_sample", "temperature", "top_k", "top_p", "typical_p", "max_length", "min_length", "num_beams", "num_beam_groups", "num_return_sequences",
        "diversity_penalty", "early_stopping", "length_penalty", "repetition_penalty", "encoder_no_repeat_ngram_size", "no_repeat_ngram_size",
        "bad_words_ids", "begin_suppress_tokens", "suppress_tokens", "forced_bos_token_id", "forced_eos_token_id", "exponential_decay_length_penalty",
        "remove_invalid_values", "tf_legacy_loss",
        // Code for libraries that lack the architecture; Attune has it.
        "auto_map",
    ], StringComparer.Ordinal);

    /// <summary>The ending of the class of a decoder with a score in place of a vocabulary.</summary>
    private const string Classifier = "ForSequenceClassification";

    /// <summary>The shape of the reward model with this decoder's body.</summary>
    public static DecoderConfig WithScore(this DecoderConfig config) => config.Head == DecoderHead.Score ? config : config with
    {
        Architecture = config.Architecture.Replace("ForCausalLM", Classifier, StringComparison.Ordinal),
        Head = DecoderHead.Score,
    };

    /// <summary>Reads config.json for a room that builds plain Llamas.</summary>
    /// <inheritdoc cref="Read(string, DecoderFeatures)" path="/exception"/>
    public static DecoderConfig Read(string path) => Read(path, DecoderFeatures.None);

    /// <summary>Reads config.json.</summary>
    /// <param name="path">The file.</param>
    /// <param name="supported">What the caller can build beyond a plain Llama; a config that needs more is refused.</param>
    /// <exception cref="CheckpointException">ATT2003, ATT2020, ATT2021: no file, not JSON, a missing or impossible value.</exception>
    /// <exception cref="UnsupportedCheckpointException">ATT2022: an architecture, key or value that Attune or the caller cannot run.</exception>
    public static DecoderConfig Read(string path, DecoderFeatures supported)
    {
        var reader = new ConfigReader(HuggingFaceJson.Read(path), path);
        var architecture = Architecture(reader);
        var scores = architecture.EndsWith(Classifier, StringComparison.Ordinal);
        if (scores)
            RequireOneLabel(reader);
        var config = (scores ? architecture[..^Classifier.Length] + "ForCausalLM" : architecture) switch
        {
            LlamaConfig.Architecture => LlamaConfig.Read(reader),
            MistralConfig.Architecture => MistralConfig.Read(reader),
            QwenConfig.Architecture2 => QwenConfig.Read2(reader),
            QwenConfig.Architecture3 => QwenConfig.Read3(reader),
            GemmaConfig.Architecture2 => GemmaConfig.Read2(reader),
            GemmaConfig.Architecture3 => GemmaConfig.Read3(reader),
            PhiConfig.Architecture => PhiConfig.Read(reader),
            OlmoConfig.Architecture => OlmoConfig.Read(reader),
            Gpt2Config.Architecture => Gpt2Config.Read(reader),
            _ => throw reader.Unsupported("architectures", $"the architecture {architecture}"),
        };
        reader.RefuseTheRest(ChangeNothing);
        if (scores)
            config = config.WithScore();
        return (config.Features & ~supported) is var missing && missing == DecoderFeatures.None
            ? config
            : throw reader.Unsupported(KeyOf(missing), $"{architecture} here needs {missing}");
    }

    /// <summary>Writes config.json with the keys and values that transformers 5 writes, atomically.</summary>
    /// <exception cref="UnsupportedCheckpointException">ATT2022: a family whose config Attune reads, but does not write yet.</exception>
    public static void Write(string path, DecoderConfig config) => Atomic.WriteAllText(path, HuggingFaceJson.Format(ToJson(config)));

    /// <summary>The JSON of <see cref="Write"/>.</summary>
    public static JsonObject ToJson(DecoderConfig config)
    {
        if (config.Architecture is not (LlamaConfig.Architecture or LlamaConfig.Reward))
            throw new UnsupportedCheckpointException($"Not supported: writing a config of {config.Architecture}.") { Field = "architectures" };
        var writable = DecoderFeatures.AttentionBias | DecoderFeatures.FeedForwardBias | DecoderFeatures.RopeScaling | DecoderFeatures.LongRope | DecoderFeatures.ScoreHead;
        return (config.Features & ~writable) == DecoderFeatures.None && config.AttentionBias == config.OutputBias
            ? LlamaConfig.ToJson(config)
            : throw new UnsupportedCheckpointException($"Not supported: a {LlamaConfig.Architecture} has no {config.Features & ~writable}.") { Field = "architectures" };
    }

    internal static JsonNode? TokenIds(IReadOnlyList<int> ids) => ids switch
    {
        [] => null,
        [var one] => one,
        _ => new JsonArray([.. ids.Select(id => (JsonNode)id)]),
    };

    // Every label but the first of one would be thrown away.
    private static void RequireOneLabel(ConfigReader reader)
    {
        var labels = reader.Has("num_labels") ? reader.Int("num_labels") : reader.Object("id2label")?.Count ?? 2;
        if (labels != 1)
            throw reader.Unsupported(reader.Has("num_labels") ? "num_labels" : "id2label", FormattableString.Invariant($"a classifier with {labels} labels; a reward model has one"));
        reader.Only("problem_type", "a score has no classes", "regression");
    }

    private static string Architecture(ConfigReader reader) => reader.Texts("architectures") switch
    {
        [var one] => one,
        null or [] => reader.Text("model_type") is "llama"
            ? "LlamaForCausalLM"
            : throw reader.Unsupported("architectures", "a config that does not name its architecture"),
        var several => throw reader.Unsupported("architectures", $"several architectures at once ({string.Join(", ", several)})"),
    };

    // The key that a user finds in the file; parts that a family always has are its architecture's.
    private static string KeyOf(DecoderFeatures missing) => missing switch
    {
        _ when missing.HasFlag(DecoderFeatures.RopeScaling) || missing.HasFlag(DecoderFeatures.LongRope) => "rope_parameters",
        _ when missing.HasFlag(DecoderFeatures.AttentionBias) => "attention_bias",
        _ when missing.HasFlag(DecoderFeatures.FeedForwardBias) => "mlp_bias",
        _ when missing.HasFlag(DecoderFeatures.SlidingWindow) => "sliding_window",
        _ when missing.HasFlag(DecoderFeatures.PartialRope) => "partial_rotary_factor",
        _ when missing.HasFlag(DecoderFeatures.Activation) => "hidden_act",
        _ => "architectures",
    };
}
