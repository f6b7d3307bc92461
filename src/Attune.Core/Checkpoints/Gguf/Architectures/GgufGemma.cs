namespace Attune.Core.Checkpoints.Gguf.Architectures;

/// <summary>Gemma 2 and 3: the scales of embeddings and attention are the graph's, caps and windows have keys and defaults.</summary>
internal static class GgufGemma
{
    private const DecoderFeatures Features = DecoderFeatures.Activation | DecoderFeatures.NormKind | DecoderFeatures.NormPlacement
        | DecoderFeatures.AttentionScale | DecoderFeatures.EmbeddingScale | DecoderFeatures.SlidingWindow | DecoderFeatures.SoftCaps;

    internal static GgufArchitecture Gemma2 { get; } = new("gemma2", "Gemma2ForCausalLM")
    {
        Activation = Activation.GeluTanh,
        NormPlusOne = true,
        FullEvery = 2,
        Features = Features,
        FixedScale = config => Scale(config, layersOfTheLargest: 46),
        Write = Write,
        Read = (config, file) => Shared(GgufWindows.Read(config, Gemma2!, file.Metadata, whenAbsent: 4096)) with
        {
            AttentionScale = Scale(config, layersOfTheLargest: 46),
            AttentionSoftCap = file.Metadata.Number("gemma2.attn_logit_softcapping") ?? 50,
            LogitSoftCap = file.Metadata.Number("gemma2.final_logit_softcapping") ?? 30,
        },
    };

    internal static GgufArchitecture Gemma3 { get; } = new("gemma3", "Gemma3ForCausalLM")
    {
        Activation = Activation.GeluTanh,
        NormPlusOne = true,
        FullEvery = 6,
        Features = Features | DecoderFeatures.QueryKeyNorm | DecoderFeatures.LocalRope | DecoderFeatures.RopeScaling,
        FixedScale = config => Scale(config, layersOfTheLargest: 62),
        Write = Write,
        Read = (config, file) => Shared(GgufWindows.Read(config, Gemma3!, file.Metadata)) with
        {
            QueryKeyNorm = QueryKeyNorm.PerHead,
            RopeTheta = file.Metadata.Number("gemma3.rope.freq_base") ?? 1_000_000,
            LocalRopeTheta = file.Metadata.Number("gemma3.rope.freq_base_swa") ?? 10_000,
            AttentionScale = Scale(config, layersOfTheLargest: 62),
            AttentionSoftCap = file.Metadata.Number("gemma3.attn_logit_softcapping"),
            LogitSoftCap = file.Metadata.Number("gemma3.final_logit_softcapping"),
        },
    };

    private static IEnumerable<(string Key, GgufValue Value)> Write(DecoderConfig config) =>
    [
        .. GgufWindows.Write(config),
        .. config.AttentionSoftCap is { } attention ? [("attn_logit_softcapping", GgufValue.Of(attention))] : Array.Empty<(string, GgufValue)>(),
        .. config.LogitSoftCap is { } logits ? [("final_logit_softcapping", GgufValue.Of(logits))] : Array.Empty<(string, GgufValue)>(),
    ];

    private static DecoderConfig Shared(DecoderConfig config) => config with
    {
        Norm = NormKind.RmsPlusOne,
        NormPlacement = NormPlacement.BeforeAndAfter,
        EmbeddingScale = Math.Sqrt(config.HiddenSize),
    };

    // By head width; by heads for the largest of each generation, which llama.cpp knows by its layers.
    private static double Scale(DecoderConfig config, int layersOfTheLargest) =>
        1 / Math.Sqrt(config.Layers == layersOfTheLargest ? (double)(config.HiddenSize / config.Heads) : config.HeadSize);
}
