namespace Attune.Core.Checkpoints.Gguf.Architectures;

/// <summary>Phi-3: fused projections, which stay fused; longrope as two tensors of divisors.</summary>
internal static class GgufPhi
{
    internal static GgufArchitecture Phi3 { get; } = new("phi3", "Phi3ForCausalLM")
    {
        SquareAttention = true,
        Features = DecoderFeatures.FusedProjections | DecoderFeatures.LongRope | DecoderFeatures.PartialRope | DecoderFeatures.SlidingWindow,
    };
}
