namespace Attune.Core.Checkpoints.Families;

/// <summary>
/// Cohere2 (Command R7B): one LayerNorm without bias for attention and feed-forward side by side, sliding layers that
/// rotate neighbours and full ones that see no positions, scaled logits. Source: transformers' Cohere2Config and modeling_cohere2.
/// </summary>
internal static class CohereFamily
{
    private static readonly FamilyDefaults Defaults = new("Cohere2ForCausalLM", "cohere2")
    {
        Context = 8192, Epsilon = 1e-5, Tied = true, EpsilonKey = "layer_norm_eps", Bos = 5, Eos = 255_001, Pad = 0,
    };

    internal static Family Cohere2 { get; } = new(Defaults)
    {
        Read = Read,
        Write = config => CommonConfig.Write(config, Defaults,
            ("attention_bias", config.AttentionBias), ("head_dim", config.HeadSize), ("layer_types", CommonConfig.LayerTypes(config)),
            ("logit_scale", config.LogitScale), ("sliding_window", config.SlidingWindow)),
        Rest = """{"attention_dropout": 0.0, "use_cache": true}""",
    };

    private static DecoderConfig Read(ConfigReader reader)
    {
        var bias = reader.Flag("attention_bias");
        var period = reader.Int("sliding_window_pattern", reader.Int("_sliding_window_pattern", 4));
        reader.Only("use_qk_norm", "norms on queries and keys", false);
        reader.Only("use_gated_activation", "a feed-forward layer without a gate", true);
        reader.Only("use_parallel_block", "blocks one after the other", true);
        reader.Only("use_embedding_sharing", "an untied head", true);
        reader.Only("rotary_pct", "a partly rotated Cohere2ForCausalLM", 1.0, 1);
        reader.Only("position_embedding_type", "another kind of positions", "rope_gptj");
        var config = CommonConfig.WithWindow(CommonConfig.Read(reader, Defaults), reader, reader.Int("sliding_window", 4096), i => (i + 1) % period != 0);
        return config with
        {
            AttentionBias = bias,
            OutputBias = bias,
            Norm = NormKind.LayerWithoutBias,
            NormPlacement = NormPlacement.Shared,
            ParallelResidual = true,
            RotatesNeighbours = true,
            UnrotatedLayers = [.. Enumerable.Range(0, config.Layers).Where(i => config.WindowOf(i) is null)],
            LogitScale = reader.Positive("logit_scale", 0.0625),
        };
    }
}
