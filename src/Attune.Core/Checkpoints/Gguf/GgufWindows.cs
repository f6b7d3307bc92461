namespace Attune.Core.Checkpoints.Gguf;

/// <summary>Which layers slide: a flag for each, or every n-th one full. Source: llama.cpp's load_swa_pattern.</summary>
internal static class GgufWindows
{
    /// <summary>The keys of a config, without the architecture before them.</summary>
    public static IEnumerable<(string Key, GgufValue Value)> Write(DecoderConfig config) =>
    [
        ("attention.sliding_window", GgufValue.Of(config.SlidingWindow ?? config.ContextLength)),
        ("attention.sliding_window_pattern", GgufValue.Of(Enumerable.Range(0, config.Layers).Select(i => config.WindowOf(i) is not null))),
    ];

    /// <summary>A config with its window and what each layer attends to; as it was where there is none. A file that does not say has <paramref name="whenAbsent"/>.</summary>
    /// <exception cref="GgufException">ATT3304: another number of flags than of layers.</exception>
    public static DecoderConfig Read(DecoderConfig config, GgufArchitecture architecture, GgufMetadata metadata, int? whenAbsent = null)
    {
        var window = metadata.Int($"{architecture.Name}.attention.sliding_window") ?? whenAbsent;
        return window is > 0 ? config with { SlidingWindow = window, LayerAttentions = Layers(config, architecture, metadata) } : config;
    }

    private static LayerAttention[] Layers(DecoderConfig config, GgufArchitecture architecture, GgufMetadata metadata)
    {
        var key = $"{architecture.Name}.attention.sliding_window_pattern";
        if (metadata.Find(key) is { Content: bool[] flags })
        {
            return flags.Length == config.Layers
                ? Array.ConvertAll(flags, Kind)
                : throw metadata.Impossible(key, FormattableString.Invariant($"{flags.Length} flags for {config.Layers} layers."));
        }
        var every = metadata.Int(key) ?? architecture.FullEvery;
        return [.. Enumerable.Range(0, config.Layers).Select(i => Kind(every > 0 && i % every < every - 1))];

        static LayerAttention Kind(bool slides) => slides ? LayerAttention.Sliding : LayerAttention.Full;
    }
}
