namespace Attune.Core.Checkpoints;

/// <summary>The function inside the feed-forward layer.</summary>
public enum Activation
{
    /// <summary>x · sigmoid(x).</summary>
    Silu,

    /// <summary>GELU by tanh: gelu_pytorch_tanh, gelu_new.</summary>
    GeluTanh,

    /// <summary>GELU by erf.</summary>
    Gelu,
}

/// <summary>What normalises the residual stream.</summary>
public enum NormKind
{
    /// <summary>RMSNorm, multiplied by its weight.</summary>
    Rms,

    /// <summary>RMSNorm, multiplied by one plus its weight (Gemma).</summary>
    RmsPlusOne,

    /// <summary>LayerNorm with a bias (GPT-2).</summary>
    Layer,

    /// <summary>LayerNorm without one (Cohere).</summary>
    LayerWithoutBias,
}

/// <summary>Where a block's norms stand.</summary>
public enum NormPlacement
{
    /// <summary>Before attention and before the feed-forward layer.</summary>
    Before,

    /// <summary>After each, before its output joins the residual stream (OLMo 2).</summary>
    After,

    /// <summary>Before and after each (Gemma 2 and 3).</summary>
    BeforeAndAfter,

    /// <summary>One before both, which then run side by side (Cohere).</summary>
    Shared,
}

/// <summary>Whether queries and keys are normalised.</summary>
public enum QueryKeyNorm
{
    /// <summary>No.</summary>
    None,

    /// <summary>Each head by itself, one weight of [C] for all (Qwen3, Gemma 3).</summary>
    PerHead,

    /// <summary>All heads together, weights of [H·C] and [K·C] (OLMo 2).</summary>
    Whole,
}

/// <summary>What a layer attends to.</summary>
public enum LayerAttention
{
    /// <summary>Everything before.</summary>
    Full,

    /// <summary>The last <see cref="DecoderConfig.SlidingWindow"/> tokens.</summary>
    Sliding,
}

/// <summary>Which rotary table a layer uses.</summary>
public enum LayerRotation
{
    /// <summary>None: the layer sees no positions, or they come from a table.</summary>
    None,

    /// <summary>The model's.</summary>
    Global,

    /// <summary>That of sliding layers, where they have one of their own (<see cref="DecoderConfig.LocalRopeTheta"/>).</summary>
    Local,
}

/// <summary>What stands on top of the last hidden states.</summary>
public enum DecoderHead
{
    /// <summary>A score for every token of the vocabulary: a language model.</summary>
    Language,

    /// <summary>One number, read at the last token of a text: a reward model.</summary>
    Score,
}

/// <summary>How rotary frequencies are stretched for longer windows.</summary>
/// <param name="Kind">linear, yarn, llama3 or longrope. Source: transformers' modeling_rope_utils.</param>
public sealed record RopeScaling(string Kind)
{
    /// <summary>By how much; null where longrope takes window / original window.</summary>
    public double? Factor { get; init; }

    /// <summary>The window that the model was first trained with.</summary>
    public int? OriginalContext { get; init; }

    /// <summary>llama3: below this many turns in the original window a frequency is divided by the factor.</summary>
    public double? LowFrequencyFactor { get; init; }

    /// <summary>llama3: above this many it stays.</summary>
    public double? HighFrequencyFactor { get; init; }

    /// <summary>yarn: turns above which a frequency stays (32 by default).</summary>
    public double? BetaFast { get; init; }

    /// <summary>yarn: turns below which it is divided (1 by default).</summary>
    public double? BetaSlow { get; init; }

    /// <summary>yarn and longrope: multiplies cosines and sines; null means that it follows from the factor.</summary>
    public double? AttentionFactor { get; init; }

    /// <summary>yarn, as DeepSeek has it.</summary>
    public double? MScale { get; init; }

    /// <inheritdoc cref="MScale"/>
    public double? MScaleAllDimensions { get; init; }

    /// <summary>yarn: whether the bounds of the ramp are rounded to whole dimensions.</summary>
    public bool Truncate { get; init; } = true;

    /// <summary>longrope: divisors within the original window, one for each pair.</summary>
    public IReadOnlyList<double>? ShortFactors { get; init; }

    /// <summary>longrope: divisors beyond it.</summary>
    public IReadOnlyList<double>? LongFactors { get; init; }
}

/// <summary>
/// What a decoder needs beyond a plain Llama. What does not have all of them, such as another format, says which it has
/// (<see cref="HuggingFaceConfig.Read(string, DecoderFeatures)"/>): nothing is ever kept or run with a part left out.
/// </summary>
[Flags]
public enum DecoderFeatures
{
    /// <summary>A plain Llama: RMSNorm, RoPE, grouped queries, SwiGLU, tied embeddings or not.</summary>
    None = 0,

    /// <summary>Biases of q, k, v (and of the output projection, where <see cref="DecoderConfig.OutputBias"/> is set).</summary>
    AttentionBias = 1 << 0,

    /// <summary>Biases in the feed-forward layer.</summary>
    FeedForwardBias = 1 << 1,

    /// <summary>An activation that is not SiLU.</summary>
    Activation = 1 << 2,

    /// <summary>A feed-forward layer without a gate.</summary>
    PlainFeedForward = 1 << 3,

    /// <summary>A norm that is not a plain RMSNorm.</summary>
    NormKind = 1 << 4,

    /// <summary>Norms after attention or feed-forward.</summary>
    NormPlacement = 1 << 5,

    /// <summary>Norms on queries and keys.</summary>
    QueryKeyNorm = 1 << 6,

    /// <summary>Scaled rotary frequencies (<see cref="DecoderConfig.RopeScaling"/>) other than longrope.</summary>
    RopeScaling = 1 << 7,

    /// <summary>longrope.</summary>
    LongRope = 1 << 8,

    /// <summary>Rotary positions on a part of each head.</summary>
    PartialRope = 1 << 9,

    /// <summary>Another rotary base in sliding layers.</summary>
    LocalRope = 1 << 10,

    /// <summary>A table of positions in place of rotation.</summary>
    LearnedPositions = 1 << 11,

    /// <summary>Layers that see a window only.</summary>
    SlidingWindow = 1 << 12,

    /// <summary>tanh caps on attention scores or logits.</summary>
    SoftCaps = 1 << 13,

    /// <summary>Attention scores scaled by something other than 1/√C.</summary>
    AttentionScale = 1 << 14,

    /// <summary>Embeddings multiplied on the way in.</summary>
    EmbeddingScale = 1 << 15,

    /// <summary>Projections stored fused or transposed (Phi-3, GPT-2).</summary>
    FusedProjections = 1 << 16,

    /// <summary>One number for a whole text in place of a vocabulary (<see cref="DecoderHead.Score"/>).</summary>
    ScoreHead = 1 << 17,

    /// <summary>Attention and feed-forward side by side.</summary>
    ParallelResidual = 1 << 18,

    /// <summary>Factors on what joins the residual stream, or on the logits.</summary>
    Multipliers = 1 << 19,

    /// <summary>Rotation of neighbours in place of halves.</summary>
    RotatesNeighbours = 1 << 20,

    /// <summary>Layers that see no positions.</summary>
    UnrotatedLayers = 1 << 21,

    /// <summary>All of them.</summary>
    All = (1 << 22) - 1,
}
