namespace Attune.Core.Checkpoints.Families;

/// <summary>GLM-4 (0414): norms before and after, half of each head rotated by neighbours, a fused gate. Source: transformers' Glm4Config and modeling_glm4.</summary>
internal static class GlmFamily
{
    private static readonly FamilyDefaults Defaults = new("Glm4ForCausalLM", "glm4")
    {
        Context = 131_072, Epsilon = 1.5625e-07, KeyValueHeads = 2, HeadSize = 128, RotaryShare = 0.5, Pad = 151_329,
    };

    internal static Family Glm4 { get; } = new(Defaults)
    {
        Names = new() { AttentionOutNorm = "post_self_attn_layernorm", FeedForwardOutNorm = "post_mlp_layernorm", GateUp = "gate_up_proj" },
        Read = reader => CommonConfig.Read(reader, Defaults) with
        {
            AttentionBias = reader.Flag("attention_bias"),
            NormPlacement = NormPlacement.BeforeAndAfter,
            RotatesNeighbours = true,
        },
        Write = config => CommonConfig.Write(config, Defaults, ("attention_bias", config.AttentionBias), ("head_dim", config.HeadSize)),
        Rest = """{"attention_dropout": 0.0, "use_cache": true}""",
    };
}
