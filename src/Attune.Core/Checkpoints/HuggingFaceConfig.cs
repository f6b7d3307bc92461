using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Attune.Core.Checkpoints.Families;
using Attune.Core.Versions;

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

    /// <summary>The shape of the reward model with this decoder's body.</summary>
    public static DecoderConfig WithScore(this DecoderConfig config) =>
        config with { Architecture = FamilyList.Of(config.Architecture).Classifier, Head = DecoderHead.Score };

    /// <summary>Reads config.json.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="CheckpointException">ATT2003, ATT2020, ATT2021: no file, not JSON, a missing or impossible value.</exception>
    /// <exception cref="UnsupportedCheckpointException">ATT2022: an architecture, key or value that Attune cannot run.</exception>
    public static DecoderConfig Read(string path) => Read(HuggingFaceJson.Read(path), path);

    /// <summary>Reads config.json for what does not have every part.</summary>
    /// <param name="path">The file.</param>
    /// <param name="supported">What the caller has beyond a plain Llama; a config that needs more is refused.</param>
    /// <inheritdoc cref="Read(string)" path="/exception"/>
    public static DecoderConfig Read(string path, DecoderFeatures supported)
    {
        var config = Read(path);
        return (config.Features & ~supported) is var missing && missing == DecoderFeatures.None
            ? config
            : throw new UnsupportedCheckpointException($"Not supported: {config.Architecture} here needs {missing}.") { File = path, Field = KeyOf(missing) };
    }

    /// <summary>Writes config.json with the keys and values that transformers 5 writes, atomically.</summary>
    /// <exception cref="UnsupportedCheckpointException">ATT2022: options that the config's architecture does not have.</exception>
    public static void Write(string path, DecoderConfig config) => Atomic.WriteAllText(path, HuggingFaceJson.Format(ToJson(config)));

    /// <summary>The JSON of <see cref="Write"/>.</summary>
    public static JsonObject ToJson(DecoderConfig config)
    {
        var family = FamilyList.Of(config.Architecture);
        var json = JsonNode.Parse(family.Rest)!.AsObject();
        foreach (var (key, value) in family.Write(config))
            json[key] = value?.DeepClone();
        foreach (var (key, value) in config.Unused is { } unused ? JsonNode.Parse(unused)!.AsObject() : new JsonObject())
            json[key] = value?.DeepClone();
        json["architectures"] = new JsonArray(config.Architecture);
        json["transformers_version"] = TransformersVersion;
        if (config.Head == DecoderHead.Score)
        {
            json["id2label"] = new JsonObject { ["0"] = "LABEL_0" };
            json["label2id"] = new JsonObject { ["LABEL_0"] = 0 };
        }
        // A part that the family's config has no word for would be lost, and the model would be another one.
        return Same(config, Read(JsonNode.Parse(HuggingFaceJson.Format(json))!.AsObject(), ModelFiles.Config))
            ? json
            : throw new UnsupportedCheckpointException($"Not supported: a {config.Architecture} with options that it does not have.") { Field = "architectures" };
    }

    private static DecoderConfig Read(JsonObject json, string path)
    {
        var reader = new ConfigReader(json, path);
        var architecture = Architecture(reader);
        var family = FamilyList.Find(architecture) ?? throw reader.Unsupported("architectures", $"the architecture {architecture}");
        var scores = architecture == family.Classifier;
        if (scores)
            RequireOneLabel(reader);
        var config = family.Read(reader);
        var usual = JsonNode.Parse(family.Rest)!.AsObject();
        foreach (var (key, value) in family.Write(config))
        {
            if (usual.ContainsKey(key))
                usual[key] = value?.DeepClone();
        }
        config = config with { Unused = reader.KeptOf(usual) };
        reader.RefuseTheRest(ChangeNothing);
        return scores ? config.WithScore() : config;
    }

    private static bool Same(DecoderConfig a, DecoderConfig b)
    {
        return Plain(a) == Plain(b)
            && a.EosTokenIds.SequenceEqual(b.EosTokenIds)
            && Enumerable.Range(0, a.Layers).All(i => a.WindowOf(i) == b.WindowOf(i) && a.RotationOf(i) == b.RotationOf(i))
            && (a.RopeScaling?.ShortFactors ?? []).SequenceEqual(b.RopeScaling?.ShortFactors ?? [])
            && (a.RopeScaling?.LongFactors ?? []).SequenceEqual(b.RopeScaling?.LongFactors ?? []);

        static DecoderConfig Plain(DecoderConfig config) => config with
        {
            EosTokenIds = [], LayerAttentions = [], UnrotatedLayers = [], SlidingWindow = null, Unused = null,
            RopeScaling = config.RopeScaling is { } scaling ? scaling with { ShortFactors = null, LongFactors = null } : null,
            // Files hold the square or the inverse of some.
            AttentionScale = Rounded(config.AttentionScale), LogitScale = Rounded(config.LogitScale),
        };

        static double? Rounded(double? value) => value is { } number ? Math.Round(number, 7) : null;
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
        null or [] => FamilyList.OfModelType(reader.Text("model_type"))?.Architecture
            ?? throw reader.Unsupported("architectures", $"a config that does not name its architecture (its model type is {reader.Text("model_type") ?? "missing"})"),
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
