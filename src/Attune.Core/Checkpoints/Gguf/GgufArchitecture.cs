using Attune.Core.Checkpoints.Gguf.Architectures;

namespace Attune.Core.Checkpoints.Gguf;

/// <summary>
/// One architecture as llama.cpp has it: what its graph takes for granted, what its keys say beyond everyone's. A config
/// that differs would load there and be another model, so it is refused; the reverse is what an imported file leaves
/// unsaid. A new architecture is one new file that makes one of these, and its line in <see cref="GgufArchitectures"/>.
/// Source: llama.cpp's src/models and llama-model.cpp.
/// </summary>
/// <param name="Name">general.architecture, which is also the beginning of its keys.</param>
/// <param name="HuggingFace">The class in transformers.</param>
internal sealed record GgufArchitecture(string Name, string HuggingFace)
{
    /// <summary>What it may need beyond a plain Llama.</summary>
    public required DecoderFeatures Features { get; init; }

    /// <summary>The function in the feed-forward layer.</summary>
    public Activation Activation { get; init; } = Activation.Silu;

    /// <summary>Rows of q and k in pairs (x₀, x₁), not in halves as Hugging Face has them.</summary>
    public bool PairedRotation { get; init; }

    /// <summary>Heads together must be as wide as the residual stream.</summary>
    public bool SquareAttention { get; init; }

    /// <summary>Norm weights are stored with the one added that Gemma's norm adds.</summary>
    public bool NormPlusOne { get; init; }

    /// <summary>The output matrix must be there, tied or not.</summary>
    public bool NeedsOutput { get; init; }

    /// <summary>Attention has its biases always.</summary>
    public bool NeedsBias { get; init; }

    /// <summary>Attention's output projection may have a bias.</summary>
    public bool TakesOutputBias { get; init; }

    /// <summary>Rotary frequencies may be divided one by one (llama3's scaling).</summary>
    public bool DividesFrequencies { get; init; }

    /// <summary>Sliding and full layers in turn: every n-th is full where the file does not say; zero where the graph knows no window.</summary>
    public int FullEvery { get; init; }

    /// <summary>What it calls the norm before the feed-forward layer.</summary>
    public string FeedForwardNorm { get; init; } = "ffn_norm";

    /// <summary>Multiplies q·k where no key can say it, for a model of that shape; null: the graph scales by 1/√C, or a key says it.</summary>
    public Func<DecoderConfig, double>? FixedScale { get; init; }

    /// <summary>What makes it refuse a config beyond all this: the field and why; null: nothing.</summary>
    public Func<DecoderConfig, (string Field, string Why)?> Refuses { get; init; } = _ => null;

    /// <summary>Its own keys, without its name before them.</summary>
    public Func<DecoderConfig, IEnumerable<(string Key, GgufValue Value)>> Write { get; init; } = _ => [];

    /// <summary>What a file of it means beyond everyone's keys.</summary>
    public Func<DecoderConfig, GgufFile, DecoderConfig> Read { get; init; } = (config, _) => config;

    /// <summary>The architecture of a model that is to be written.</summary>
    /// <exception cref="GgufException">ATT3305: llama.cpp has no place for it, or for one of its parts.</exception>
    public static GgufArchitecture Of(DecoderConfig config)
    {
        var known = GgufArchitectures.All.FirstOrDefault(a => a.HuggingFace == config.Architecture)
            ?? throw GgufException.NoPlace("architectures", $"llama.cpp has no {config.Architecture}, or Attune does not know how it spells it.");
        return known.Objection(config) is var (field, why) ? throw GgufException.NoPlace(field, $"llama.cpp's {known.Name} {why}") : known;
    }

    /// <summary>The architecture of a file that is to be read.</summary>
    /// <exception cref="UnsupportedCheckpointException">ATT2022: Attune does not have it.</exception>
    public static GgufArchitecture Named(string name, string path) => GgufArchitectures.All.FirstOrDefault(a => a.Name == name)
        ?? throw new UnsupportedCheckpointException($"Not supported: the architecture {name}.") { File = path, Field = "general.architecture" };

    private (string Field, string Why)? Objection(DecoderConfig config) => config switch
    {
        _ when (config.Features & ~Features) is var missing && missing != DecoderFeatures.None => ("architectures", $"has no {missing}."),
        _ when config.Activation != Activation => ("hidden_act", $"has {Activation} inside, not {config.Activation}."),
        _ when config.OutputBias && !TakesOutputBias => ("attention_bias", "has no bias after attention."),
        _ when NeedsBias && !(config.AttentionBias && config.FeedForwardBias) => ("use_bias", "has biases in attention and feed-forward."),
        _ when SquareAttention && config.Heads * config.HeadSize != config.HiddenSize =>
            ("head_dim", FormattableString.Invariant($"wants heads that are together as wide as the model: {config.Heads} of {config.HeadSize} are not {config.HiddenSize}.")),
        { RopeScaling.Kind: "llama3" } when !DividesFrequencies => ("rope_parameters", "has no place for the divisors of llama3's scaling."),
        { AttentionScale: { } scale } when FixedScale is { } fixedScale && Math.Abs(scale - fixedScale(config)) > 1e-9 =>
            ("query_pre_attn_scalar", "scales attention by 1/√head_dim."),
        _ => Refuses(config),
    };
}
