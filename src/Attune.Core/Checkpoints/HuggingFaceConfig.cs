using System.Collections.Frozen;
using System.Text.Json.Nodes;

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
    ], StringComparer.Ordinal);

    /// <summary>Reads config.json.</summary>
    /// <exception cref="CheckpointException">ATT2003, ATT2020, ATT2021: no file, not JSON, a missing or impossible value.</exception>
    /// <exception cref="UnsupportedCheckpointException">ATT2022: an architecture, key or value that Attune cannot run.</exception>
    public static DecoderConfig Read(string path)
    {
        var reader = new ConfigReader(HuggingFaceJson.Read(path), path);
        var architecture = Architecture(reader);
        var config = architecture switch
        {
            "LlamaForCausalLM" => ReadLlama(reader),
            _ => throw reader.Unsupported("architectures", $"the architecture {architecture}"),
        };
        reader.RefuseTheRest(ChangeNothing);
        return config;
    }

    /// <summary>Writes config.json with the keys and values that transformers 5 writes, atomically.</summary>
    public static void Write(string path, DecoderConfig config) => Atomic.WriteAllText(path, HuggingFaceJson.Format(ToJson(config)));

    /// <summary>The JSON of <see cref="Write"/>.</summary>
    public static JsonObject ToJson(DecoderConfig config) => config.Architecture != "LlamaForCausalLM"
        ? throw new UnsupportedCheckpointException($"Not supported: writing a config of {config.Architecture}.")
        : new JsonObject
        {
            ["architectures"] = new JsonArray(config.Architecture),
            ["attention_bias"] = false,
            ["attention_dropout"] = 0.0,
            ["bos_token_id"] = config.BosTokenId,
            ["dtype"] = config.Dtype,
            ["eos_token_id"] = TokenIds(config.EosTokenIds),
            ["head_dim"] = config.HeadSize,
            ["hidden_act"] = "silu",
            ["hidden_size"] = config.HiddenSize,
            ["initializer_range"] = config.InitializerRange,
            ["intermediate_size"] = config.IntermediateSize,
            ["max_position_embeddings"] = config.ContextLength,
            ["mlp_bias"] = false,
            ["model_type"] = "llama",
            ["num_attention_heads"] = config.Heads,
            ["num_hidden_layers"] = config.Layers,
            ["num_key_value_heads"] = config.KeyValueHeads,
            ["pad_token_id"] = config.PadTokenId,
            ["pretraining_tp"] = 1,
            ["rms_norm_eps"] = config.NormEpsilon,
            ["rope_parameters"] = new JsonObject { ["rope_theta"] = config.RopeTheta, ["rope_type"] = "default" },
            ["tie_word_embeddings"] = config.TiedEmbeddings,
            ["transformers_version"] = TransformersVersion,
            ["use_cache"] = true,
            ["vocab_size"] = config.VocabularySize,
        };

    internal static JsonNode? TokenIds(IReadOnlyList<int> ids) => ids switch
    {
        [] => null,
        [var one] => one,
        _ => new JsonArray([.. ids.Select(id => (JsonNode)id)]),
    };

    private static string Architecture(ConfigReader reader) => reader.Texts("architectures") switch
    {
        [var one] => one,
        null or [] => reader.Text("model_type") is "llama"
            ? "LlamaForCausalLM"
            : throw reader.Unsupported("architectures", "a config that does not name its architecture"),
        var several => throw reader.Unsupported("architectures", $"several architectures at once ({string.Join(", ", several)})"),
    };

    // Defaults are those of transformers' LlamaConfig, except for the sizes, which a config must state.
    private static DecoderConfig ReadLlama(ConfigReader reader)
    {
        reader.Only("model_type", "a Llama has the model type llama", "llama");
        reader.Only("hidden_act", "the feed-forward layer is SwiGLU", "silu", "swish");
        reader.Only("attention_bias", "biases in attention", false);
        reader.Only("mlp_bias", "biases in the feed-forward layer", false);
        reader.Only("is_encoder_decoder", "an encoder", false);
        reader.Only("add_cross_attention", "cross-attention", false);
        reader.Only("is_decoder", "it is always a decoder", true, false);

        var (hidden, heads) = (reader.Int("hidden_size"), reader.Int("num_attention_heads"));
        var keyValueHeads = reader.Int("num_key_value_heads", heads);
        if (heads % keyValueHeads != 0)
            throw reader.Impossible("num_key_value_heads", FormattableString.Invariant($"{keyValueHeads} key and value heads do not divide {heads} query heads."));
        if (!reader.Has("head_dim") && hidden % heads != 0)
            throw reader.Impossible("hidden_size", FormattableString.Invariant($"{heads} heads do not divide a width of {hidden}."));
        var headSize = reader.Int("head_dim", hidden / heads);
        if (headSize % 2 != 0)
            throw reader.Impossible("head_dim", FormattableString.Invariant($"Rotary positions turn pairs; {headSize} is odd."));
        return new()
        {
            Architecture = "LlamaForCausalLM",
            VocabularySize = reader.Int("vocab_size"),
            HiddenSize = hidden,
            IntermediateSize = reader.Int("intermediate_size"),
            Layers = reader.Int("num_hidden_layers"),
            Heads = heads,
            KeyValueHeads = keyValueHeads,
            HeadSize = headSize,
            ContextLength = reader.Int("max_position_embeddings", 2048),
            RopeTheta = ReadRope(reader),
            NormEpsilon = reader.Positive("rms_norm_eps", 1e-6),
            TiedEmbeddings = reader.Flag("tie_word_embeddings"),
            InitializerRange = reader.Positive("initializer_range", 0.02),
            BosTokenId = reader.TokenId("bos_token_id", 1),
            EosTokenIds = reader.TokenIds("eos_token_id", 2),
            PadTokenId = reader.TokenId("pad_token_id", null),
            Dtype = ReadDtype(reader),
        };
    }

    private static string ReadDtype(ConfigReader reader)
    {
        var (now, before) = (reader.Text("dtype"), reader.Text("torch_dtype"));
        return now ?? before ?? "float32";
    }

    private static double ReadRope(ConfigReader reader)
    {
        var theta = reader.Positive("rope_theta", 10_000);
        foreach (var key in (string[])["rope_parameters", "rope_scaling"])
        {
            if (reader.Object(key) is not { } rope)
                continue;
            foreach (var kind in (string[])["rope_type", "type"])
                rope.Only(kind, "this kind of rotary scaling", "default");
            theta = rope.Positive("rope_theta", theta);
            rope.RefuseTheRest(FrozenSet<string>.Empty);
        }
        return theta;
    }
}
