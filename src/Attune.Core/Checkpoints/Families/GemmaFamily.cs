using System.Text.Json.Nodes;

namespace Attune.Core.Checkpoints.Families;

/// <summary>
/// Gemma 2 and 3 (text): norms before and after with one plus the weight, scaled embeddings, sliding and full layers;
/// soft caps in 2, norms on queries and keys and a rotary base for sliding layers in 3.
/// Source: transformers' Gemma2Config, Gemma3TextConfig and their models.
/// </summary>
internal static class GemmaFamily
{
    private static readonly FamilyDefaults Defaults2 = new("Gemma2ForCausalLM", "gemma2")
    {
        Context = 8192, HeadSize = 256, KeyValueHeads = 4, Tied = true, ActivationKey = "hidden_activation", Activation = Activation.GeluTanh, Bos = 2, Eos = 1, Pad = 0,
    };

    private static readonly FamilyDefaults Defaults3 = Defaults2 with
    {
        Architecture = "Gemma3ForCausalLM", ModelType = "gemma3_text", Context = 131_072, Theta = 1_000_000, LocalRope = true, LocalTheta = 10_000,
    };

    private static readonly DecoderNames Names = new() { FeedForwardNorm = "pre_feedforward_layernorm" };

    internal static Family Gemma2 { get; } = new(Defaults2)
    {
        Names = Names,
        Read = Read2,
        Write = config => CommonConfig.Write(config, Defaults2, Own(config)),
        Rest = """{"attention_dropout": 0.0, "use_bidirectional_attention": null, "use_cache": true}""",
    };

    internal static Family Gemma3 { get; } = new(Defaults3)
    {
        Classifier = "Gemma3TextForSequenceClassification",
        Names = Names,
        Read = Read3,
        Write = config => CommonConfig.Write(config, Defaults3, Own(config)),
        Rest = """{"_sliding_window_pattern": 6, "attention_dropout": 0.0, "use_bidirectional_attention": false, "use_cache": true}""",
    };

    private static DecoderConfig Read2(ConfigReader reader)
    {
        var config = Shared(reader, Defaults2) with
        {
            AttentionSoftCap = reader.NumberOrNull("attn_logit_softcapping", whenAbsent: 50),
            LogitSoftCap = reader.NumberOrNull("final_logit_softcapping", whenAbsent: 30),
        };
        return CommonConfig.WithWindow(config, reader, reader.Int("sliding_window", 4096), i => i % 2 == 0);
    }

    private static DecoderConfig Read3(ConfigReader reader)
    {
        var config = Shared(reader, Defaults3) with
        {
            QueryKeyNorm = QueryKeyNorm.PerHead,
            AttentionSoftCap = reader.NumberOrNull("attn_logit_softcapping", whenAbsent: null),
            LogitSoftCap = reader.NumberOrNull("final_logit_softcapping", whenAbsent: null),
        };
        var (written, older) = (reader.Int("_sliding_window_pattern", 6), reader.Has("sliding_window_pattern"));
        var period = older ? reader.Int("sliding_window_pattern") : written;
        return CommonConfig.WithWindow(config, reader, reader.Int("sliding_window", 4096), i => (i + 1) % period != 0);
    }

    private static DecoderConfig Shared(ConfigReader reader, FamilyDefaults defaults)
    {
        // Old files have hidden_act too, and transformers does not read it.
        _ = reader.Text("hidden_act");
        _ = reader.Text("cache_implementation");
        var bias = reader.Flag("attention_bias");
        var config = CommonConfig.Read(reader, defaults);
        return config with
        {
            AttentionBias = bias,
            OutputBias = bias,
            Norm = NormKind.RmsPlusOne,
            NormPlacement = NormPlacement.BeforeAndAfter,
            AttentionScale = 1 / Math.Sqrt(reader.Positive("query_pre_attn_scalar", 256)),
            EmbeddingScale = Math.Sqrt(config.HiddenSize),
        };
    }

    private static (string, JsonNode?)[] Own(DecoderConfig config) =>
    [
        ("attention_bias", config.AttentionBias), ("attn_logit_softcapping", config.AttentionSoftCap), ("final_logit_softcapping", config.LogitSoftCap),
        ("head_dim", config.HeadSize), ("layer_types", CommonConfig.LayerTypes(config)), ("sliding_window", config.SlidingWindow),
        ("query_pre_attn_scalar", CommonConfig.Number(1 / (config.AttentionScale!.Value * config.AttentionScale.Value))),
    ];
}
