namespace Attune.Core.Checkpoints.Families;

/// <summary>Llama 2, 3, 3.x. Source: transformers' LlamaConfig and modeling_llama.</summary>
internal static class LlamaFamily
{
    private static readonly FamilyDefaults Defaults = new("LlamaForCausalLM", "llama") { Bos = 1, Eos = 2 };

    internal static Family Llama { get; } = new(Defaults)
    {
        Read = Read,
        Write = config => CommonConfig.Write(config, Defaults, ("attention_bias", config.AttentionBias), ("head_dim", config.HeadSize), ("mlp_bias", config.FeedForwardBias)),
        Rest = """{"attention_dropout": 0.0, "pretraining_tp": 1, "use_cache": true}""",
    };

    private static DecoderConfig Read(ConfigReader reader)
    {
        var bias = reader.Flag("attention_bias");
        return CommonConfig.Read(reader, Defaults) with { AttentionBias = bias, OutputBias = bias, FeedForwardBias = reader.Flag("mlp_bias") };
    }
}
