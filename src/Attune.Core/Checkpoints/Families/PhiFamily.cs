using System.Text.Json.Nodes;

namespace Attune.Core.Checkpoints.Families;

/// <summary>Phi-3: Llama with fused projections, longrope and partial rotation. Source: transformers' Phi3Config and modeling_phi3.</summary>
internal static class PhiFamily
{
    private static readonly FamilyDefaults Defaults = new("Phi3ForCausalLM", "phi3") { Context = 4096, Epsilon = 1e-5, RotaryShare = 1, Bos = 1, Eos = 32_000, Pad = 32_000 };

    internal static Family Phi3 { get; } = new(Defaults)
    {
        Names = new() { QueryKeyValue = "qkv_proj", GateUp = "gate_up_proj" },
        Read = Read,
        Write = Write,
        Rest = """{"attention_dropout": 0.0, "embd_pdrop": 0.0, "original_max_position_embeddings": 4096, "resid_pdrop": 0.0, "use_cache": true}""",
    };

    private static JsonObject Write(DecoderConfig config)
    {
        var json = CommonConfig.Write(config, Defaults, ("sliding_window", config.SlidingWindow));
        if (config.RotaryShare != 1)
            json["partial_rotary_factor"] = config.RotaryShare;
        // longrope's window stands outside too; without longrope nobody reads it.
        if (config.RopeScaling is { Kind: "longrope", OriginalContext: { } original })
            json["original_max_position_embeddings"] = original;
        return json;
    }

    private static DecoderConfig Read(ConfigReader reader)
    {
        var config = CommonConfig.Read(reader, Defaults);
        reader.Only("attention_bias", "biases in attention", false);
        // Only longrope reads it, and then it stands in rope_parameters too.
        _ = reader.Int("original_max_position_embeddings", 4096);
        if (config.RopeScaling is { Kind: "longrope" } rope)
        {
            var pairs = config.RotatedSize / 2;
            foreach (var (key, factors) in (ReadOnlySpan<(string, IReadOnlyList<double>?)>)[("short_factor", rope.ShortFactors), ("long_factor", rope.LongFactors)])
            {
                if (factors!.Count != pairs || factors.Any(f => f <= 0))
                    throw reader.Impossible($"rope_parameters.{key}", FormattableString.Invariant($"Must be {pairs} numbers greater than 0, one for each rotated pair."));
            }
        }
        return CommonConfig.WithWindow(config, reader, reader.IntOrNull("sliding_window", whenAbsent: null), _ => true);
    }
}
