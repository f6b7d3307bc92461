namespace Attune.Core.Checkpoints.Families;

/// <summary>Granite: Llama with four multipliers. Source: transformers' GraniteConfig and modeling_granite.</summary>
internal static class GraniteFamily
{
    private static readonly FamilyDefaults Defaults = new("GraniteForCausalLM", "granite") { Bos = 1, Eos = 2 };

    internal static Family Granite { get; } = new(Defaults)
    {
        Read = Read,
        Write = config => CommonConfig.Write(config, Defaults,
            ("attention_bias", config.AttentionBias), ("mlp_bias", config.FeedForwardBias), ("attention_multiplier", config.AttentionScale),
            ("embedding_multiplier", config.EmbeddingScale ?? 1), ("residual_multiplier", config.ResidualScale ?? 1),
            ("logits_scaling", config.LogitScale is { } scale ? Math.Round(1 / scale, 9) : 1.0)),
        Rest = """{"attention_dropout": 0.0, "use_cache": true}""",
    };

    private static DecoderConfig Read(ConfigReader reader)
    {
        var bias = reader.Flag("attention_bias");
        return CommonConfig.Read(reader, Defaults) with
        {
            AttentionBias = bias,
            OutputBias = bias,
            FeedForwardBias = reader.Flag("mlp_bias"),
            AttentionScale = reader.Positive("attention_multiplier", 1),
            EmbeddingScale = Unless1(reader.Positive("embedding_multiplier", 1)),
            ResidualScale = Unless1(reader.Positive("residual_multiplier", 1)),
            LogitScale = Unless1(1 / reader.Positive("logits_scaling", 1)),
        };
    }

    private static double? Unless1(double value) => value == 1 ? null : value;
}
