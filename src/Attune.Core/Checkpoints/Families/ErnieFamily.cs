namespace Attune.Core.Checkpoints.Families;

/// <summary>ERNIE 4.5 (dense): Llama that rotates neighbours. Source: transformers' Ernie4_5Config and modeling_ernie4_5.</summary>
internal static class ErnieFamily
{
    private static readonly FamilyDefaults Defaults = new("Ernie4_5ForCausalLM", "ernie4_5")
    {
        Context = 131_072, Epsilon = 1e-5, KeyValueHeads = 2, HeadSize = 128, Theta = 500_000, Tied = true, Bos = 1, Eos = 2, Pad = 0,
    };

    internal static Family Ernie45 { get; } = new(Defaults)
    {
        Read = Read,
        Write = config => CommonConfig.Write(config, Defaults, ("head_dim", config.HeadSize), ("use_bias", config.AttentionBias)),
        Rest = """{"use_cache": true}""",
    };

    private static DecoderConfig Read(ConfigReader reader)
    {
        var bias = reader.Flag("use_bias");
        return CommonConfig.Read(reader, Defaults) with { AttentionBias = bias, OutputBias = bias, FeedForwardBias = bias, RotatesNeighbours = true };
    }
}
