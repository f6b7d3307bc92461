namespace Attune.Core.Checkpoints.Gguf.Architectures;

/// <summary>GLM-4 (0414): gate and up stay fused, half of each head is rotated, neighbours together.</summary>
internal static class GgufGlm
{
    internal static GgufArchitecture Glm4 { get; } = new("glm4", "Glm4ForCausalLM")
    {
        Features = DecoderFeatures.AttentionBias | DecoderFeatures.NormPlacement | DecoderFeatures.PartialRope | DecoderFeatures.RotatesNeighbours
            | DecoderFeatures.FusedProjections | DecoderFeatures.RopeScaling,
        Read = (config, _) => config with { NormPlacement = NormPlacement.BeforeAndAfter, RotatesNeighbours = true },
    };
}
