using System.Text.Json.Nodes;

namespace Attune.Core.Checkpoints.Families;

/// <summary>Qwen2 (biases of q, k, v) and Qwen3 (norms on queries and keys). Source: transformers' Qwen2Config, Qwen3Config and their models.</summary>
internal static class QwenFamily
{
    private const string Rest = """{"attention_dropout": 0.0, "max_window_layers": 28, "use_cache": true}""";

    private static readonly FamilyDefaults Defaults2 = new("Qwen2ForCausalLM", "qwen2") { Context = 32_768, KeyValueHeads = 32 };
    private static readonly FamilyDefaults Defaults3 = new("Qwen3ForCausalLM", "qwen3") { Context = 32_768, KeyValueHeads = 32, HeadSize = 128 };

    internal static Family Qwen2 { get; } = new(Defaults2)
    {
        Read = reader => WithWindow(reader, CommonConfig.Read(reader, Defaults2) with { AttentionBias = true }),
        Write = config => CommonConfig.Write(config, Defaults2, [.. Window(config)]),
        Rest = Rest,
    };

    internal static Family Qwen3 { get; } = new(Defaults3)
    {
        Read = Read3,
        Write = config => CommonConfig.Write(config, Defaults3, [.. Window(config), ("attention_bias", config.AttentionBias), ("head_dim", config.HeadSize)]),
        Rest = Rest,
    };

    private static DecoderConfig Read3(ConfigReader reader)
    {
        var bias = reader.Flag("attention_bias");
        return WithWindow(reader, CommonConfig.Read(reader, Defaults3) with { AttentionBias = bias, OutputBias = bias, QueryKeyNorm = QueryKeyNorm.PerHead });
    }

    private static DecoderConfig WithWindow(ConfigReader reader, DecoderConfig config)
    {
        var window = reader.IntOrNull("sliding_window", whenAbsent: 4096);
        var first = reader.Int("max_window_layers", 28, least: 0);
        return CommonConfig.WithWindow(config, reader, reader.Flag("use_sliding_window") ? window : null, i => i >= first);
    }

    private static (string, JsonNode?)[] Window(DecoderConfig config) =>
        [("layer_types", CommonConfig.LayerTypes(config)), ("sliding_window", config.SlidingWindow), ("use_sliding_window", config.SlidingWindow is not null)];
}
