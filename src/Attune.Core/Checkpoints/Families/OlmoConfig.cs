namespace Attune.Core.Checkpoints.Families;

/// <summary>OLMo 2: norms after attention and feed-forward, and over all queries and keys together. Source: transformers' Olmo2Config and modeling_olmo2.</summary>
internal static class OlmoConfig
{
    internal const string Architecture = "Olmo2ForCausalLM";

    internal static DecoderConfig Read(ConfigReader reader)
    {
        var bias = reader.Flag("attention_bias");
        return CommonConfig.Read(reader, Architecture, new() { ModelType = "olmo2", Epsilon = 1e-5, Eos = 50_279, Pad = 1 }) with
        {
            AttentionBias = bias,
            OutputBias = bias,
            NormPlacement = NormPlacement.After,
            QueryKeyNorm = QueryKeyNorm.Whole,
        };
    }
}
