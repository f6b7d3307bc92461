namespace Attune.Core.Checkpoints.Families;

/// <summary>Seed-OSS: Llama with a say about each kind of bias. Source: transformers' SeedOssConfig and modeling_seed_oss.</summary>
internal static class SeedFamily
{
    private static readonly FamilyDefaults Defaults = new("SeedOssForCausalLM", "seed_oss") { Context = 524_288, KeyValueHeads = 8, HeadSize = 128 };

    internal static Family SeedOss { get; } = new(Defaults)
    {
        Read = reader => CommonConfig.Read(reader, Defaults) with
        {
            AttentionBias = reader.Flag("attention_bias", whenAbsent: true),
            OutputBias = reader.Flag("attention_out_bias"),
            FeedForwardBias = reader.Flag("mlp_bias"),
        },
        Write = config => CommonConfig.Write(config, Defaults,
            ("attention_bias", config.AttentionBias), ("attention_out_bias", config.OutputBias), ("head_dim", config.HeadSize), ("mlp_bias", config.FeedForwardBias)),
        Rest = """{"attention_dropout": 0.1, "pretraining_tp": 1, "residual_dropout": 0.1, "use_cache": true}""",
    };
}
