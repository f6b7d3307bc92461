namespace Attune.Core.Checkpoints.Gguf.Architectures;

/// <summary>Seed-OSS: the norm before the feed-forward layer is called after what it follows.</summary>
internal static class GgufSeed
{
    internal static GgufArchitecture SeedOss { get; } = new("seed_oss", "SeedOssForCausalLM")
    {
        FeedForwardNorm = "post_attention_norm",
        Features = DecoderFeatures.AttentionBias | DecoderFeatures.RopeScaling,
    };
}
