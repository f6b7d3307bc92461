namespace Attune.Core.Checkpoints.Families;

/// <summary>Mistral: Llama with a window in every layer. Source: transformers' MistralConfig and modeling_mistral.</summary>
internal static class MistralFamily
{
    private static readonly FamilyDefaults Defaults = new("MistralForCausalLM", "mistral") { Context = 131_072, KeyValueHeads = 8, Bos = 1, Eos = 2 };

    internal static Family Mistral { get; } = new(Defaults)
    {
        Read = Read,
        Write = config => CommonConfig.Write(config, Defaults, ("head_dim", config.HeadSize), ("sliding_window", config.SlidingWindow)),
        Rest = """{"attention_dropout": 0.0, "use_cache": true}""",
    };

    private static DecoderConfig Read(ConfigReader reader)
    {
        var config = CommonConfig.Read(reader, Defaults);
        return CommonConfig.WithWindow(config, reader, reader.IntOrNull("sliding_window", whenAbsent: 4096), _ => true);
    }
}
