namespace Attune.Core.Checkpoints.Gguf.Architectures;

/// <summary>SmolLM3: Llama whose every fourth layer sees no positions; the graph counts them, no key does.</summary>
internal static class GgufSmolLm
{
    private const int UnrotatedEvery = 4;

    internal static GgufArchitecture SmolLm3 { get; } = new("smollm3", "SmolLM3ForCausalLM")
    {
        PairedRotation = true,
        Features = DecoderFeatures.UnrotatedLayers | DecoderFeatures.SlidingWindow | DecoderFeatures.RopeScaling,
        Refuses = config => config.UnrotatedLayers.SequenceEqual(Unrotated(config))
            ? null
            : ("no_rope_layers", "leaves exactly every fourth layer without rotation."),
        Read = (config, _) => config with { UnrotatedLayers = Unrotated(config) },
    };

    private static int[] Unrotated(DecoderConfig config) => [.. Enumerable.Range(0, config.Layers).Where(i => (i + 1) % UnrotatedEvery == 0)];
}
