namespace Attune.Prompts;

/// <summary>A half-open range of UTF-16 code units: [Start, Start + Length).</summary>
public readonly record struct TextSpan(int Start, int Length)
{
    /// <summary>The first code unit after the span.</summary>
    public int End => Start + Length;
}

/// <summary>A token and the part of the text that it came from, in UTF-16 code units.</summary>
public readonly record struct EncodedToken(int Id, int Start, int Length);

/// <summary>
/// A tokenizer as far as a prompt needs one. Attune.Prompts stands alone, so the interface is its own;
/// Attune.Core's tokenizer implements it.
/// </summary>
public interface ITokenEncoder
{
    /// <summary>SHA-256 of the tokenizer's file, lower-case hex: part of a prompt contract.</summary>
    string Digest { get; }

    /// <summary>One more than the largest id that can come out.</summary>
    int VocabularySize { get; }

    /// <summary>Added tokens that are matched in text before anything else (special and not), by their text.</summary>
    IReadOnlyDictionary<string, int> AddedTokens { get; }

    /// <summary>
    /// Encodes the whole text at once, without adding BOS or EOS. Inside the <paramref name="untrusted"/> spans
    /// special-token text is not matched: it is encoded as ordinary text and can never become a control token,
    /// not even where a span's edge cuts through it. Elsewhere ids are the ones that the text would get without spans.
    /// </summary>
    /// <param name="text">The rendered prompt.</param>
    /// <param name="untrusted">Sorted, disjoint spans of <paramref name="text"/>.</param>
    /// <param name="output">Tokens are appended here, in order.</param>
    void Encode(string text, IReadOnlyList<TextSpan> untrusted, List<EncodedToken> output);

    /// <summary>Decodes ids to text; bytes that are not valid UTF-8 become U+FFFD.</summary>
    string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false);
}
