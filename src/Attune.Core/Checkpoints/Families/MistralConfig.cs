namespace Attune.Core.Checkpoints.Families;

/// <summary>Mistral: Llama with a window in every layer. Source: transformers' MistralConfig and modeling_mistral.</summary>
internal static class MistralConfig
{
    internal const string Architecture = "MistralForCausalLM";

    internal static DecoderConfig Read(ConfigReader reader)
    {
        var config = CommonConfig.Read(reader, Architecture, new() { ModelType = "mistral", Context = 131_072, KeyValueHeads = 8, Bos = 1, Eos = 2 });
        var window = reader.IntOrNull("sliding_window", whenAbsent: 4096);
        return CommonConfig.WithWindow(config, reader, window, _ => true);
    }
}
