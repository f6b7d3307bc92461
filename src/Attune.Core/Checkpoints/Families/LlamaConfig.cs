using System.Text.Json.Nodes;

namespace Attune.Core.Checkpoints.Families;

/// <summary>Llama 2, 3, 3.x. Source: transformers' LlamaConfig and modeling_llama.</summary>
internal static class LlamaConfig
{
    internal const string Architecture = "LlamaForCausalLM";

    internal const string Reward = "LlamaForSequenceClassification";

    internal static DecoderConfig Read(ConfigReader reader)
    {
        var bias = reader.Flag("attention_bias");
        return CommonConfig.Read(reader, Architecture, new() { ModelType = "llama", Bos = 1, Eos = 2 }) with
        {
            AttentionBias = bias,
            OutputBias = bias,
            FeedForwardBias = reader.Flag("mlp_bias"),
        };
    }

    internal static JsonObject ToJson(DecoderConfig config)
    {
        var json = Body(config);
        if (config.Head == DecoderHead.Score)
        {
            json["id2label"] = new JsonObject { ["0"] = "LABEL_0" };
            json["label2id"] = new JsonObject { ["LABEL_0"] = 0 };
        }
        return json;
    }

    private static JsonObject Body(DecoderConfig config) => new()
    {
        ["architectures"] = new JsonArray(config.Architecture),
        ["attention_bias"] = config.AttentionBias,
        ["attention_dropout"] = 0.0,
        ["bos_token_id"] = config.BosTokenId,
        ["dtype"] = config.Dtype,
        ["eos_token_id"] = HuggingFaceConfig.TokenIds(config.EosTokenIds),
        ["head_dim"] = config.HeadSize,
        ["hidden_act"] = "silu",
        ["hidden_size"] = config.HiddenSize,
        ["initializer_range"] = config.InitializerRange,
        ["intermediate_size"] = config.IntermediateSize,
        ["max_position_embeddings"] = config.ContextLength,
        ["mlp_bias"] = config.FeedForwardBias,
        ["model_type"] = "llama",
        ["num_attention_heads"] = config.Heads,
        ["num_hidden_layers"] = config.Layers,
        ["num_key_value_heads"] = config.KeyValueHeads,
        ["pad_token_id"] = config.PadTokenId,
        ["pretraining_tp"] = 1,
        ["rms_norm_eps"] = config.NormEpsilon,
        ["rope_parameters"] = RopeConfig.ToJson(config),
        ["tie_word_embeddings"] = config.TiedEmbeddings,
        ["transformers_version"] = HuggingFaceConfig.TransformersVersion,
        ["use_cache"] = true,
        ["vocab_size"] = config.VocabularySize,
    };
}
