using System.Globalization;
using Attune.Core.Tokens.Normalizers;
using Attune.Core.Tokens.Patterns;

namespace Attune.Core.Tokens.PreTokenizers;

/// <summary>Cuts text into words, which the model then takes one by one.</summary>
internal abstract class PreTokenizer
{
    public abstract void Apply(Words words);
}

internal sealed class PreTokenizerSequence(IReadOnlyList<PreTokenizer> steps) : PreTokenizer
{
    public PreTokenizer[] Steps { get; } = [.. steps];

    public override void Apply(Words words)
    {
        foreach (var step in steps)
            step.Apply(words);
    }
}

/// <summary>Cuts at a pattern.</summary>
internal sealed class Split(Pattern pattern, SplitBehavior behavior, bool invert) : PreTokenizer
{
    /// <summary>The scanner that does the same, where one is written and the matches are the words.</summary>
    public WordSplit? Known => !invert && behavior == SplitBehavior.Isolated ? pattern.Split : null;

    public override void Apply(Words words) => words.Split(pattern.Find, behavior, invert);
}

/// <summary>Cuts as GPT-2 does, if asked to, and writes every byte as a visible character.</summary>
internal sealed class ByteLevel(bool addPrefixSpace, bool useRegex) : PreTokenizer
{
    private static readonly Pattern Gpt2 = new(WordSplits.Gpt2Pattern, null);

    public bool AddPrefixSpace => addPrefixSpace;

    public bool UseRegex => useRegex;

    public override void Apply(Words words)
    {
        if (addPrefixSpace && words.Cuts.Exists(c => words.Text.Text[c.Start] != ' '))
        {
            words.Rewrite((text, start, end, builder) =>
            {
                if (text.Text[start] != ' ')
                    builder.Add(' ', text.StartOf(start), text.EndOf(start));
                builder.Copy(start, end);
            });
        }
        if (useRegex)
            words.Split(Gpt2.Find, SplitBehavior.Isolated);
        words.Rewrite(ByteLevelNormalizer.ToBytes);
    }
}

/// <summary>When <see cref="Metaspace"/> puts its mark before a text.</summary>
internal enum PrependScheme
{
    Always,
    First,
    Never,
}

/// <summary>SentencePiece's way: spaces become a visible mark, which begins each word.</summary>
internal sealed class Metaspace(char mark, PrependScheme scheme, bool split) : PreTokenizer
{
    public PrependScheme Scheme => scheme;

    public override void Apply(Words words)
    {
        words.Rewrite((text, start, end, builder) =>
        {
            if (text.Text[start] != ' ' && text.Text[start] != mark
                && (scheme == PrependScheme.Always || (scheme == PrependScheme.First && text.StartOf(start) == 0)))
                builder.Add(mark, text.StartOf(start), text.EndOf(start));
            for (var at = start; at < end; at++)
                builder.Add(text.Text[at] == ' ' ? mark : text.Text[at], text.StartOf(at), text.EndOf(at));
        });
        if (split)
            words.Split(c => c == mark, SplitBehavior.MergedWithNext);
    }
}

/// <summary>Cuts at characters of a kind.</summary>
internal sealed class CharacterSplit(Func<int, bool> isDelimiter, SplitBehavior behavior) : PreTokenizer
{
    public static CharacterSplit WhiteSpace { get; } = new(c => CharSet.Space.Contains(c), SplitBehavior.Removed);

    public static CharacterSplit Punctuation(SplitBehavior behavior) => new(IsPunctuation, behavior);

    public static CharacterSplit Digits(bool individual) => new(
        c => CharUnicodeInfo.GetUnicodeCategory(c) is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber,
        individual ? SplitBehavior.Isolated : SplitBehavior.Contiguous);

    public override void Apply(Words words) => words.Split(isDelimiter, behavior);

    private static bool IsPunctuation(int c) => c < 128
        ? char.IsPunctuation((char)c) || char.IsSymbol((char)c)
        : CharUnicodeInfo.GetUnicodeCategory(c) is >= UnicodeCategory.ConnectorPunctuation and <= UnicodeCategory.OtherPunctuation;
}
