namespace Attune.Core.Checkpoints.Gguf.Architectures;

/// <summary>StarCoder2: LayerNorm, biases everywhere, a plain feed-forward layer.</summary>
internal static class GgufStarcoder
{
    internal static GgufArchitecture Starcoder2 { get; } = new("starcoder2", "Starcoder2ForCausalLM")
    {
        Activation = Activation.GeluTanh,
        SquareAttention = true,
        NeedsBias = true,
        TakesOutputBias = true,
        Features = DecoderFeatures.AttentionBias | DecoderFeatures.FeedForwardBias | DecoderFeatures.Activation | DecoderFeatures.PlainFeedForward
            | DecoderFeatures.NormKind | DecoderFeatures.SlidingWindow | DecoderFeatures.RopeScaling,
        Read = (config, _) => config with { Norm = NormKind.Layer, GatedFeedForward = false },
    };
}
