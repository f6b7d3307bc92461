namespace Attune.Core.Tokens.Models;

/// <summary>What turns one word into tokens: BPE, Unigram, WordPiece, WordLevel.</summary>
internal abstract class TokenModel
{
    public abstract Vocabulary Vocabulary { get; }

    /// <summary>The id for what the model does not know, or -1.</summary>
    public abstract int Unknown { get; }

    /// <summary>
    /// Whether ordinary text could come out as one of these ids by the model alone, without an added token being
    /// matched. Where it cannot, words of untrusted text need no second look.
    /// </summary>
    public abstract bool CanMake(IReadOnlySet<int> ids);

    /// <summary>Appends the tokens of a word, their ranges counted from <paramref name="offset"/>.</summary>
    /// <param name="word">Text after normalisation and pre-tokenisation, not empty.</param>
    /// <param name="offset">Added to the ranges.</param>
    /// <param name="banned">Ids that must not come out, or null.</param>
    /// <param name="output">Tokens go here; ranges are UTF-16 code units of the word.</param>
    public abstract void Encode(ReadOnlySpan<char> word, int offset, IReadOnlySet<int>? banned, TokenBuffer output);
}
