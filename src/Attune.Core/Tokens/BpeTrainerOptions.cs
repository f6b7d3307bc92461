using System.ComponentModel;

namespace Attune.Core.Tokens;

/// <summary>How a byte-level BPE tokenizer is trained.</summary>
public sealed record BpeTrainerOptions
{
    /// <summary>Tokens wanted, special tokens and the 256 bytes included. Rounded up to <see cref="RoundTo"/>.</summary>
    [Description("Tokens in the vocabulary, special tokens and the 256 bytes included")]
    public int VocabularySize { get; init; } = 4096;

    /// <summary>How text is cut into words. Merges never cross words.</summary>
    [Description("How text is cut into words before merging: gpt2, llama3 or qwen2")]
    public WordSplit Split { get; init; } = WordSplit.Qwen2;

    /// <summary>
    /// How many words, the most frequent, have a token that holds the space before them, beside the token of the bare word.
    /// Every word is then made up alike with the space and without; what has no such token is its space and the bare word.
    /// Null for usual BPE, which parts a word in two unlike ways.
    /// </summary>
    [Description("Words, the most frequent, that have a token with the space before them, beside the one without; usual BPE unless given")]
    public int? SpacedWords { get; init; }

    /// <summary>The first ids, in order.</summary>
    [Description("Special tokens: the first ids, in order")]
    public IReadOnlyList<string> SpecialTokens { get; init; } = ControlTokens.All;

    /// <summary>A pair seen less often is not merged.</summary>
    [Description("The fewest times a pair must be seen to be merged")]
    public int MinFrequency { get; init; } = 2;

    /// <summary>
    /// The vocabulary is a multiple of this: rows of the embedding fill whole SIMD registers. Reached by more merges,
    /// or by more reserved tokens where the corpus has no more; one for no rounding.
    /// </summary>
    [Description("Round the vocabulary up to a multiple of this")]
    public int RoundTo { get; init; } = 16;

    /// <summary>
    /// Distinct words kept in memory. Beyond it the rarest are dropped, long ones cut into pieces first, so that
    /// text without spaces keeps its pairs. Below it the result is exactly that of the whole corpus.
    /// </summary>
    [Description("Distinct words kept in memory; beyond it rare words are cut, then dropped")]
    public int MostWords { get; init; } = 4_000_000;

    /// <summary>Threads that count words; 0 for all. The result does not depend on it.</summary>
    [Description("Threads that count words; 0 for all")]
    public int Threads { get; init; }
}
