namespace Attune.Core.Checkpoints.Gguf;

/// <summary>
/// What llama.cpp's graph of an architecture takes for granted. A config that differs would load there and be another
/// model, so it is refused; the reverse is what an imported file leaves unsaid.
/// </summary>
/// <param name="Name">general.architecture, which is also the beginning of its keys.</param>
/// <param name="HuggingFace">The class in transformers.</param>
internal sealed record GgufArchitecture(string Name, string HuggingFace)
{
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

    /// <summary>Sliding and full layers in turn: every n-th is full; zero where the graph knows no window.</summary>
    public int FullEvery { get; init; }

    /// <summary>What it may need beyond a plain Llama.</summary>
    public required DecoderFeatures Features { get; init; }

    // Every architecture of Attune's that llama.cpp has too. Mistral is a llama there; it comes back as one with no loss.
    private static readonly GgufArchitecture[] Known =
    [
        new("llama", "LlamaForCausalLM")
        {
            PairedRotation = true,
            Features = DecoderFeatures.AttentionBias | DecoderFeatures.FeedForwardBias | DecoderFeatures.RopeScaling | DecoderFeatures.LongRope,
        },
        new("llama", "MistralForCausalLM") { PairedRotation = true, Features = DecoderFeatures.SlidingWindow | DecoderFeatures.RopeScaling },
        new("qwen2", "Qwen2ForCausalLM")
        {
            SquareAttention = true,
            Features = DecoderFeatures.AttentionBias | DecoderFeatures.SlidingWindow | DecoderFeatures.RopeScaling,
        },
        new("qwen3", "Qwen3ForCausalLM") { Features = DecoderFeatures.QueryKeyNorm | DecoderFeatures.SlidingWindow | DecoderFeatures.RopeScaling },
        new("gemma2", "Gemma2ForCausalLM")
        {
            Activation = Activation.GeluTanh,
            NormPlusOne = true,
            FullEvery = 2,
            Features = Gemma | DecoderFeatures.SoftCaps,
        },
        new("gemma3", "Gemma3ForCausalLM")
        {
            Activation = Activation.GeluTanh,
            NormPlusOne = true,
            FullEvery = 6,
            Features = Gemma | DecoderFeatures.SoftCaps | DecoderFeatures.QueryKeyNorm | DecoderFeatures.LocalRope | DecoderFeatures.RopeScaling,
        },
        new("phi3", "Phi3ForCausalLM")
        {
            SquareAttention = true,
            Features = DecoderFeatures.FusedProjections | DecoderFeatures.LongRope | DecoderFeatures.PartialRope | DecoderFeatures.SlidingWindow,
        },
        new("olmo2", "Olmo2ForCausalLM")
        {
            SquareAttention = true,
            NeedsOutput = true,
            Features = DecoderFeatures.NormPlacement | DecoderFeatures.QueryKeyNorm,
        },
        new("gpt2", "GPT2LMHeadModel")
        {
            Activation = Activation.GeluTanh,
            SquareAttention = true,
            Features = DecoderFeatures.AttentionBias | DecoderFeatures.FeedForwardBias | DecoderFeatures.Activation | DecoderFeatures.PlainFeedForward
                | DecoderFeatures.NormKind | DecoderFeatures.LearnedPositions | DecoderFeatures.FusedProjections,
        },
    ];

    private const DecoderFeatures Gemma = DecoderFeatures.Activation | DecoderFeatures.NormKind | DecoderFeatures.NormPlacement
        | DecoderFeatures.AttentionScale | DecoderFeatures.EmbeddingScale | DecoderFeatures.SlidingWindow;

    /// <summary>The architecture of a model that is to be written.</summary>
    /// <exception cref="GgufException">ATT3305: llama.cpp has no place for it, or for one of its parts.</exception>
    public static GgufArchitecture Of(DecoderConfig config)
    {
        var known = Array.Find(Known, a => a.HuggingFace == config.Architecture)
            ?? throw GgufException.NoPlace("architectures", $"llama.cpp has no {config.Architecture}, or Attune does not know how it spells it.");
        if ((config.Features & ~known.Features) is var missing && missing != DecoderFeatures.None)
            throw GgufException.NoPlace("architectures", $"llama.cpp's {known.Name} has no {missing}.");
        if (config.Activation != known.Activation)
            throw GgufException.NoPlace("hidden_act", $"llama.cpp's {known.Name} has {known.Activation} inside, not {config.Activation}.");
        if (config.OutputBias && known.Name is not ("llama" or "gpt2"))
            throw GgufException.NoPlace("attention_bias", $"llama.cpp's {known.Name} has no bias after attention.");
        if (known.SquareAttention && config.Heads * config.HeadSize != config.HiddenSize)
            throw GgufException.NoPlace("head_dim", FormattableString.Invariant($"llama.cpp's {known.Name} wants heads that are together as wide as the model: {config.Heads} of {config.HeadSize} are not {config.HiddenSize}."));
        if (known.Features.HasFlag(DecoderFeatures.AttentionScale) && Math.Abs(config.AttentionScale!.Value - known.AttentionScale(config)) > 1e-9)
            throw GgufException.NoPlace("query_pre_attn_scalar", $"llama.cpp's {known.Name} scales attention by 1/√head_dim.");
        return known;
    }

    /// <summary>The architecture of a file that is to be read.</summary>
    /// <exception cref="UnsupportedCheckpointException">ATT2022: Attune does not have it.</exception>
    public static GgufArchitecture Named(string name, string path) => Array.Find(Known, a => a.Name == name)
        ?? throw new UnsupportedCheckpointException($"Not supported: the architecture {name}.") { File = path, Field = "general.architecture" };

    /// <summary>Gemma's scale as llama.cpp has it: by head width, and by heads for the two largest (46 and 62 layers).</summary>
    public double AttentionScale(DecoderConfig config) => 1 / Math.Sqrt(
        (Name == "gemma2" && config.Layers == 46) || (Name == "gemma3" && config.Layers == 62) ? (double)(config.HiddenSize / config.Heads) : config.HeadSize);
}
