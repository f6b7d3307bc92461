namespace Attune.Prompts.Jinja;

/// <summary>Code points in UTF-16 text, and Python's idea of blank and line end.</summary>
internal static class CodePoints
{
    public static int Count(ReadOnlySpan<char> text)
    {
        var count = text.Length;
        for (var at = text.IndexOfAnyInRange('\uD800', '\uDBFF'); at >= 0; )
        {
            if (at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]))
                count--;
            text = text[(at + 1)..];
            at = text.IndexOfAnyInRange('\uD800', '\uDBFF');
        }
        return count;
    }

    public static int Offset(string text, int codePoint)
    {
        var at = 0;
        for (; codePoint > 0 && at < text.Length; codePoint--)
            at += char.IsHighSurrogate(text[at]) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]) ? 2 : 1;
        return at;
    }

    /// <summary>The first surrogate without its pair, or -1.</summary>
    public static int LoneSurrogate(ReadOnlySpan<char> text)
    {
        for (var i = text.IndexOfAnyInRange('\uD800', '\uDFFF'); i >= 0 && i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
                continue;
            if (char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
                i++;
            else
                return i;
        }
        return -1;
    }

    /// <summary>Python's str.isspace: Unicode's blanks and the four information separators.</summary>
    public static bool IsSpace(char c) =>
        c is ' ' or (>= '\t' and <= '\r') or (>= '\x1c' and <= '\x1f') || (c > '\x7f' && char.IsWhiteSpace(c));

    /// <summary>What str.splitlines ends a line at.</summary>
    public static bool IsLineEnd(char c) =>
        c is '\n' or '\r' or '\v' or '\f' or '\x1c' or '\x1d' or '\x1e' or '\x85' or '\u2028' or '\u2029';

    public static int TrimmedStart(string text)
    {
        var i = 0;
        while (i < text.Length && IsSpace(text[i]))
            i++;
        return i;
    }

    public static int TrimmedEnd(string text, int start = 0)
    {
        var i = text.Length;
        while (i > start && IsSpace(text[i - 1]))
            i--;
        return i;
    }
}
