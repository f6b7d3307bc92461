namespace Attune.Core.Checkpoints.Gguf.Architectures;

/// <summary>StableLM: a block without a norm before its feed-forward layer runs it beside attention.</summary>
internal static class GgufStableLm
{
    internal static GgufArchitecture StableLm { get; } = new("stablelm", "StableLmForCausalLM")
    {
        SquareAttention = true,
        NeedsOutput = true,
        Features = DecoderFeatures.AttentionBias | DecoderFeatures.NormKind | DecoderFeatures.NormPlacement | DecoderFeatures.PartialRope
            | DecoderFeatures.ParallelResidual | DecoderFeatures.RopeScaling,
        Write = config => [("use_parallel_residual", GgufValue.Of(config.ParallelResidual))],
        Read = (config, file) => file.Find("blk.0.ffn_norm.weight") is null
            ? config with { Norm = NormKind.Layer, NormPlacement = NormPlacement.Shared, ParallelResidual = true }
            : config with { Norm = NormKind.Layer },
    };
}
