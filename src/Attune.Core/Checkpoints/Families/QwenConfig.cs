namespace Attune.Core.Checkpoints.Families;

/// <summary>Qwen2 (biases of q, k, v) and Qwen3 (norms on queries and keys). Source: transformers' Qwen2Config, Qwen3Config and their models.</summary>
internal static class QwenConfig
{
    internal const string Architecture2 = "Qwen2ForCausalLM";
    internal const string Architecture3 = "Qwen3ForCausalLM";

    internal static DecoderConfig Read2(ConfigReader reader) =>
        WithWindow(reader, CommonConfig.Read(reader, Architecture2, new() { ModelType = "qwen2", Context = 32_768, KeyValueHeads = 32 }) with { AttentionBias = true });

    internal static DecoderConfig Read3(ConfigReader reader)
    {
        var bias = reader.Flag("attention_bias");
        var config = CommonConfig.Read(reader, Architecture3, new() { ModelType = "qwen3", Context = 32_768, KeyValueHeads = 32, HeadSize = 128 });
        return WithWindow(reader, config with { AttentionBias = bias, OutputBias = bias, QueryKeyNorm = QueryKeyNorm.PerHead });
    }

    private static DecoderConfig WithWindow(ConfigReader reader, DecoderConfig config)
    {
        var window = reader.IntOrNull("sliding_window", whenAbsent: 4096);
        var first = reader.Int("max_window_layers", 28, least: 0);
        return CommonConfig.WithWindow(config, reader, reader.Flag("use_sliding_window") ? window : null, i => i >= first);
    }
}
