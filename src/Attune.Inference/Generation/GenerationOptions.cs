namespace Attune.Inference;

/// <summary>How to generate.</summary>
public sealed record GenerationOptions
{
    /// <summary>How tokens are chosen; greedy by default.</summary>
    public SamplingOptions Sampling { get; init; } = SamplingOptions.Greedy;

    /// <summary>Most new tokens.</summary>
    public int MaxTokens { get; init; } = 256;

    /// <summary>Texts that end the answer; they are not part of it.</summary>
    public IReadOnlyList<string> StopTexts { get; init; } = [];

    /// <summary>Tokens that end the answer; null takes the model's own.</summary>
    public IReadOnlyList<int>? StopIds { get; init; }
}

/// <summary>Why a generation ended.</summary>
public enum FinishReason
{
    /// <summary>A stop token came.</summary>
    StopToken,

    /// <summary>A stop text came.</summary>
    StopText,

    /// <summary>As many tokens as were asked for.</summary>
    MaxTokens,

    /// <summary>The window is full.</summary>
    WindowFull,
}

/// <summary>What was generated.</summary>
/// <param name="Text">The text, without stop tokens, special tokens and stop texts.</param>
/// <param name="Ids">Every generated token, the one that stopped it included.</param>
/// <param name="Finish">Why it ended.</param>
/// <param name="PromptTokens">Length of the prompt.</param>
public sealed record Generation(string Text, IReadOnlyList<int> Ids, FinishReason Finish, int PromptTokens);
