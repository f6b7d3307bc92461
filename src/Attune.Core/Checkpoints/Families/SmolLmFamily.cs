using System.Text.Json.Nodes;

namespace Attune.Core.Checkpoints.Families;

/// <summary>SmolLM3: Llama with some layers that see no positions. Source: transformers' SmolLM3Config and modeling_smollm3.</summary>
internal static class SmolLmFamily
{
    private static readonly FamilyDefaults Defaults = new("SmolLM3ForCausalLM", "smollm3")
    {
        Context = 32_768, KeyValueHeads = 4, Theta = 2_000_000, Tied = true, Bos = 128_000, Eos = 128_001, Pad = 128_004,
    };

    internal static Family SmolLm3 { get; } = new(Defaults)
    {
        Read = Read,
        Write = config => CommonConfig.Write(config, Defaults,
            ("attention_bias", config.AttentionBias), ("mlp_bias", config.FeedForwardBias), ("layer_types", CommonConfig.LayerTypes(config)),
            ("no_rope_layers", new JsonArray([.. Enumerable.Range(0, config.Layers).Select(i => (JsonNode)(config.UnrotatedLayers.Contains(i) ? 0 : 1))])),
            ("sliding_window", config.SlidingWindow), ("use_sliding_window", config.SlidingWindow is not null)),
        Rest = """{"attention_dropout": 0.0, "no_rope_layer_interval": 4, "use_cache": true}""",
    };

    private static DecoderConfig Read(ConfigReader reader)
    {
        var (bias, interval) = (reader.Flag("attention_bias"), reader.Int("no_rope_layer_interval", 4));
        var config = CommonConfig.Read(reader, Defaults) with { AttentionBias = bias, OutputBias = bias, FeedForwardBias = reader.Flag("mlp_bias") };
        // One for a layer that rotates, zero for one that does not.
        var rotates = reader.Numbers("no_rope_layers");
        if (rotates is not null && rotates.Count != config.Layers)
            throw reader.Impossible("no_rope_layers", FormattableString.Invariant($"{rotates.Count} entries for {config.Layers} layers."));
        config = config with { UnrotatedLayers = [.. Enumerable.Range(0, config.Layers).Where(i => rotates is null ? (i + 1) % interval == 0 : rotates[i] == 0)] };
        var window = reader.IntOrNull("sliding_window", whenAbsent: null);
        return CommonConfig.WithWindow(config, reader, reader.Flag("use_sliding_window") ? window : null, config.UnrotatedLayers.Contains);
    }
}
