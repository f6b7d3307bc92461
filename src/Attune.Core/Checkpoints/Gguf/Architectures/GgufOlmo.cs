namespace Attune.Core.Checkpoints.Gguf.Architectures;

/// <summary>OLMo 2, and OLMo 3, which is the same with a window: its sliding layers rotate with the same base, never stretched.</summary>
internal static class GgufOlmo
{
    internal static GgufArchitecture Olmo2 { get; } = new("olmo2", "Olmo2ForCausalLM")
    {
        SquareAttention = true,
        NeedsOutput = true,
        FullEvery = 4,
        Features = DecoderFeatures.NormPlacement | DecoderFeatures.QueryKeyNorm | DecoderFeatures.RopeScaling,
        Write = config => config.SlidingWindow is null ? [] : GgufWindows.Write(config),
        Read = Read,
    };

    internal static GgufArchitecture Olmo3 { get; } = Olmo2 with
    {
        HuggingFace = "Olmo3ForCausalLM",
        Features = Olmo2.Features | DecoderFeatures.SlidingWindow | DecoderFeatures.LocalRope,
        Refuses = config => config.LocalRopeTheta is { } local && local != config.RopeTheta
            ? ("rope_parameters", "rotates sliding layers with the base of the others.")
            : null,
    };

    private static DecoderConfig Read(DecoderConfig config, GgufFile file)
    {
        config = GgufWindows.Read(config, Olmo2, file.Metadata) with { QueryKeyNorm = QueryKeyNorm.Whole, NormPlacement = NormPlacement.After };
        return config.SlidingWindow is null ? config : config with { Architecture = Olmo3.HuggingFace, LocalRopeTheta = config.RopeTheta };
    }
}
