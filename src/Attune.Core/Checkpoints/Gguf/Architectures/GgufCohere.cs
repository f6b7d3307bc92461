namespace Attune.Core.Checkpoints.Gguf.Architectures;

/// <summary>Cohere2: the output is the embedding, sliding layers rotate neighbours, full ones see no positions.</summary>
internal static class GgufCohere
{
    internal static GgufArchitecture Cohere2 { get; } = new("cohere2", "Cohere2ForCausalLM")
    {
        SquareAttention = true,
        DividesFrequencies = true,
        FullEvery = 4,
        Features = DecoderFeatures.NormKind | DecoderFeatures.NormPlacement | DecoderFeatures.ParallelResidual | DecoderFeatures.RotatesNeighbours
            | DecoderFeatures.UnrotatedLayers | DecoderFeatures.SlidingWindow | DecoderFeatures.Multipliers | DecoderFeatures.RopeScaling,
        Write = config => [.. GgufWindows.Write(config), ("logit_scale", GgufValue.Of(config.LogitScale ?? 1))],
        Read = Read,
    };

    private static DecoderConfig Read(DecoderConfig config, GgufFile file)
    {
        config = GgufWindows.Read(config, Cohere2, file.Metadata) with
        {
            Norm = NormKind.LayerWithoutBias,
            NormPlacement = NormPlacement.Shared,
            ParallelResidual = true,
            RotatesNeighbours = true,
            LogitScale = file.Metadata.Factor("cohere2.logit_scale"),
        };
        return config with { UnrotatedLayers = [.. Enumerable.Range(0, config.Layers).Where(i => config.WindowOf(i) is null)] };
    }
}
