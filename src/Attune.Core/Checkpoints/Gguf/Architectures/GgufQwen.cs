namespace Attune.Core.Checkpoints.Gguf.Architectures;

/// <summary>Qwen 2 and 3.</summary>
internal static class GgufQwen
{
    internal static GgufArchitecture Qwen2 { get; } = new("qwen2", "Qwen2ForCausalLM")
    {
        SquareAttention = true,
        Features = DecoderFeatures.AttentionBias | DecoderFeatures.SlidingWindow | DecoderFeatures.RopeScaling,
    };

    internal static GgufArchitecture Qwen3 { get; } = new("qwen3", "Qwen3ForCausalLM")
    {
        Features = DecoderFeatures.QueryKeyNorm | DecoderFeatures.SlidingWindow | DecoderFeatures.RopeScaling,
        Read = (config, _) => config with { QueryKeyNorm = QueryKeyNorm.PerHead },
    };
}
