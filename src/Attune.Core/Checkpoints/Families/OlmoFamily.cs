using System.Text.Json.Nodes;

namespace Attune.Core.Checkpoints.Families;

/// <summary>
/// OLMo 2: norms after attention and feed-forward, and over all queries and keys together; OLMo 3 adds sliding layers,
/// whose rotation is not stretched. Source: transformers' Olmo2Config, Olmo3Config and their models.
/// </summary>
internal static class OlmoFamily
{
    private static readonly FamilyDefaults Defaults2 = new("Olmo2ForCausalLM", "olmo2") { Epsilon = 1e-5, Eos = 50_279, Pad = 1 };
    private static readonly FamilyDefaults Defaults3 = new("Olmo3ForCausalLM", "olmo3") { Epsilon = 1e-5, Eos = 50_279, Pad = 1, LocalRope = true };

    internal static Family Olmo2 { get; } = new(Defaults2)
    {
        Read = reader => Shared(reader, Defaults2),
        Write = config => CommonConfig.Write(config, Defaults2, ("attention_bias", config.AttentionBias)),
        Rest = """{"attention_dropout": 0.0, "use_cache": true}""",
    };

    internal static Family Olmo3 { get; } = new(Defaults3)
    {
        Read = reader => CommonConfig.WithWindow(Shared(reader, Defaults3), reader, reader.Int("sliding_window", 4096), i => (i + 1) % 4 != 0),
        Write = Write3,
        Rest = """{"attention_dropout": 0.0, "use_cache": true}""",
    };

    private static DecoderConfig Shared(ConfigReader reader, FamilyDefaults defaults)
    {
        var bias = reader.Flag("attention_bias");
        return CommonConfig.Read(reader, defaults) with { AttentionBias = bias, OutputBias = bias, NormPlacement = NormPlacement.After, QueryKeyNorm = QueryKeyNorm.Whole };
    }

    private static JsonObject Write3(DecoderConfig config)
    {
        var json = CommonConfig.Write(config, Defaults3,
            ("attention_bias", config.AttentionBias), ("layer_types", CommonConfig.LayerTypes(config)), ("sliding_window", config.SlidingWindow));
        // transformers leaves the flat form's defaults beside the two kinds of layers; it reads neither.
        json["rope_parameters"]!["rope_theta"] = Defaults3.Theta;
        json["rope_parameters"]!["rope_type"] = "default";
        return json;
    }
}
