namespace Attune.Core.Evaluation;

/// <summary>A text to go on with, exactly as it stands: no template, no control tokens.</summary>
/// <param name="Prompt">The text so far; empty for a text from nothing.</param>
public sealed record CompletionRequest(string Prompt)
{
    /// <summary>Strings that end the completion; it does not contain them.</summary>
    public IReadOnlyList<string> Stops { get; init; } = [];

    /// <summary>Most tokens.</summary>
    public int MaxTokens { get; init; } = 256;

    /// <summary>0 takes the likeliest token each time.</summary>
    public double Temperature { get; init; }

    /// <summary>Seed of the draws, where temperature is above 0.</summary>
    public long Seed { get; init; } = 1;
}

/// <summary>What came.</summary>
/// <param name="Text">The completion, without the stop that ended it.</param>
/// <param name="Tokens">Tokens that were generated.</param>
/// <param name="Complete">Whether it came to an end by itself (a stop, an end of text), not by running out of tokens or window.</param>
public sealed record TextCompletion(string Text, int Tokens, bool Complete);

/// <summary>
/// A model as a Base is asked: it continues raw text. A local version implements it, and so can any server with a
/// completions endpoint.
/// </summary>
public interface ITextCompleter
{
    /// <summary>Completes every request; the answers are in the order of the requests.</summary>
    Task<IReadOnlyList<TextCompletion>> CompleteAsync(IReadOnlyList<CompletionRequest> requests, CancellationToken cancel = default);
}
