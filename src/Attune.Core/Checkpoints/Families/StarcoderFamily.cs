namespace Attune.Core.Checkpoints.Families;

/// <summary>StarCoder2: LayerNorm, biases, a plain feed-forward layer. Source: transformers' Starcoder2Config and modeling_starcoder2.</summary>
internal static class StarcoderFamily
{
    private static readonly FamilyDefaults Defaults = new("Starcoder2ForCausalLM", "starcoder2")
    {
        Context = 4096, Epsilon = 1e-5, KeyValueHeads = 2, Tied = true, EpsilonKey = "norm_epsilon", Activation = Activation.GeluTanh, Bos = 50_256, Eos = 50_256,
    };

    internal static Family Starcoder2 { get; } = new(Defaults)
    {
        Names = new() { Up = "c_fc", Down = "c_proj" },
        Read = Read,
        Write = config => CommonConfig.Write(config, Defaults, ("sliding_window", config.SlidingWindow), ("use_bias", config.AttentionBias)),
        Rest = """{"attention_dropout": 0.0, "embedding_dropout": 0.0, "residual_dropout": 0.0, "use_cache": true}""",
    };

    private static DecoderConfig Read(ConfigReader reader)
    {
        var bias = reader.Flag("use_bias", whenAbsent: true);
        var config = CommonConfig.Read(reader, Defaults) with { AttentionBias = bias, OutputBias = bias, FeedForwardBias = bias, GatedFeedForward = false, Norm = NormKind.Layer };
        return CommonConfig.WithWindow(config, reader, reader.IntOrNull("sliding_window", whenAbsent: null), _ => true);
    }
}
