namespace Attune.Core.Checkpoints.Families;

/// <summary>Phi-3: Llama with fused projections, longrope and partial rotation. Source: transformers' Phi3Config and modeling_phi3.</summary>
internal static class PhiConfig
{
    internal const string Architecture = "Phi3ForCausalLM";

    internal static DecoderConfig Read(ConfigReader reader)
    {
        var config = CommonConfig.Read(reader, Architecture, new() { ModelType = "phi3", Context = 4096, Epsilon = 1e-5, PartialRope = true, Bos = 1, Eos = 32_000, Pad = 32_000 });
        reader.Only("attention_bias", "biases in attention", false);
        _ = reader.Int("original_max_position_embeddings", 4096);
        if (config.RopeScaling is { Kind: "longrope" } rope)
        {
            var pairs = (int)(config.HeadSize * config.RotaryShare) / 2;
            foreach (var (key, factors) in (ReadOnlySpan<(string, IReadOnlyList<double>?)>)[("short_factor", rope.ShortFactors), ("long_factor", rope.LongFactors)])
            {
                if (factors!.Count != pairs || factors.Any(f => f <= 0))
                    throw reader.Impossible($"rope_parameters.{key}", FormattableString.Invariant($"Must be {pairs} numbers greater than 0, one for each rotated pair."));
            }
        }
        return CommonConfig.WithWindow(config, reader, reader.IntOrNull("sliding_window", whenAbsent: null), _ => true);
    }
}
