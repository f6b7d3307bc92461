namespace Attune.Core.Tokens;

/// <summary>
/// The ways to cut text into words before BPE that llama.cpp knows by name (tokenizer.ggml.pre), so that what is
/// trained here runs there.
/// </summary>
public enum WordSplit
{
    /// <summary>GPT-2's: letters, runs of digits, runs of punctuation, each with a space before.</summary>
    Gpt2,

    /// <summary>Llama 3's (llama-bpe): as GPT-2's, with digits in threes, any case of contractions, line ends apart.</summary>
    Llama3,

    /// <summary>Qwen 2's: as Llama 3's, with every digit alone.</summary>
    Qwen2,
}

/// <summary>The patterns, and scanners written by hand that cut where the patterns do.</summary>
internal static class WordSplits
{
    public const string Gpt2Pattern =
        @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    public const string Llama3Pattern =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    public const string Qwen2Pattern =
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

    /// <summary>The split of a pattern, or null where no scanner is written for it.</summary>
    public static WordSplit? Find(string pattern) => pattern switch
    {
        Gpt2Pattern => WordSplit.Gpt2,
        Llama3Pattern => WordSplit.Llama3,
        Qwen2Pattern => WordSplit.Qwen2,
        _ => null,
    };

    public static string PatternOf(WordSplit split) => split switch
    {
        WordSplit.Gpt2 => Gpt2Pattern,
        WordSplit.Llama3 => Llama3Pattern,
        _ => Qwen2Pattern,
    };

    /// <summary>Where the word that begins at <paramref name="start"/> ends. Every character is in some word.</summary>
    public static int Next(WordSplit split, ReadOnlySpan<char> text, int start) =>
        split == WordSplit.Gpt2 ? NextGpt2(text, start) : NextLlama(text, start, split == WordSplit.Llama3 ? 3 : 1);

    private static int NextGpt2(ReadOnlySpan<char> text, int start)
    {
        var first = text[start];
        if (first == '\'' && Contraction(text, start, anyCase: false) is var contraction and > 0)
            return start + contraction;
        var at = start;
        var kind = CharKinds.At(text, at, out var length);
        if (first == ' ' && start + 1 < text.Length)
        {
            var next = CharKinds.At(text, start + 1, out var nextLength);
            if (next <= CharKind.Number)
                (at, kind, length) = (start + 1, next, nextLength);
        }
        return kind <= CharKind.Number ? Run(text, at + length, kind) : Spaces(text, start, out _);
    }

    private static int NextLlama(ReadOnlySpan<char> text, int start, int digits)
    {
        var first = text[start];
        if (first == '\'' && Contraction(text, start, anyCase: true) is var contraction and > 0)
            return start + contraction;
        var kind = CharKinds.At(text, start, out var length);
        if (kind == CharKind.Letter)
            return Run(text, start + length, CharKind.Letter);
        if (kind == CharKind.Number)
        {
            var end = start + length;
            for (var n = 1; n < digits && end < text.Length && CharKinds.At(text, end, out length) == CharKind.Number; n++)
                end += length;
            return end;
        }
        if (kind != CharKind.LineEnd && start + length < text.Length)
        {
            // One character of any kind but these may lead a run of letters.
            var next = CharKinds.At(text, start + length, out var nextLength);
            if (next == CharKind.Letter)
                return Run(text, start + length + nextLength, CharKind.Letter);
            if (first == ' ' && next == CharKind.Other)
                return LineEnds(text, Run(text, start + 1 + nextLength, CharKind.Other));
        }
        if (kind == CharKind.Other)
            return LineEnds(text, Run(text, start + length, CharKind.Other));
        var spaces = Spaces(text, start, out var afterLastLineEnd);
        return afterLastLineEnd > start ? afterLastLineEnd : spaces;
    }

    private static int Run(ReadOnlySpan<char> text, int at, CharKind kind)
    {
        while (at < text.Length && CharKinds.At(text, at, out var length) == kind)
            at += length;
        return at;
    }

    private static int LineEnds(ReadOnlySpan<char> text, int at)
    {
        while (at < text.Length && text[at] is '\r' or '\n')
            at++;
        return at;
    }

    /// <summary>\s+(?!\S)|\s+: a run of white space leaves its last character to the word after it.</summary>
    private static int Spaces(ReadOnlySpan<char> text, int start, out int afterLastLineEnd)
    {
        var at = start;
        afterLastLineEnd = -1;
        while (at < text.Length && CharKinds.At(text, at, out _) is CharKind.Space or CharKind.LineEnd)
        {
            if (text[at] is '\r' or '\n')
                afterLastLineEnd = at + 1;
            at++;
        }
        return at == text.Length || at == start + 1 ? at : at - 1;
    }

    private static int Contraction(ReadOnlySpan<char> text, int start, bool anyCase)
    {
        if (start + 1 >= text.Length)
            return 0;
        var a = anyCase ? Fold(text[start + 1]) : text[start + 1];
        if (a is 's' or 't' or 'm' or 'd')
            return 2;
        if (start + 2 >= text.Length)
            return 0;
        var b = anyCase ? Fold(text[start + 2]) : text[start + 2];
        return (a, b) is ('r', 'e') or ('v', 'e') or ('l', 'l') ? 3 : 0;
    }

    /// <summary>Lower case for the letters of contractions; U+017F, the long s, folds to s in Unicode.</summary>
    private static char Fold(char c) => c is >= 'A' and <= 'Z' ? (char)(c | 0x20) : c == '\u017F' ? 's' : c;
}
