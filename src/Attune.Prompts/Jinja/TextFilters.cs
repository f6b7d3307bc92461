using System.Text;

namespace Attune.Prompts.Jinja;

/// <summary>title, indent, truncate, wordwrap, wordcount.</summary>
internal static class TextFilters
{
    /// <summary>Words begin after blanks and opening brackets only: "they're" stays one.</summary>
    public static PyStr Title(RenderState state, PyStr text)
    {
        var to = state.NewText();
        var s = text.Text;
        for (var i = 0; i < s.Length; )
        {
            var separator = IsSeparator(s[i]);
            var end = i;
            while (end < s.Length && IsSeparator(s[end]) == separator)
                end++;
            var part = text.Range(i, end - i);
            if (separator)
            {
                to.Append(part);
            }
            else
            {
                var first = part.At(0);
                to.Append(CaseMapping.Upper(state, first));
                to.Append(CaseMapping.Lower(state, part.From(first.Text.Length)));
            }
            i = end;
        }
        state.Charge(to.Length);
        return to.ToPyStr(text.Markup);

        static bool IsSeparator(char c) => c is '-' or '(' or '{' or '[' or '<' || CodePoints.IsSpace(c);
    }

    public static long WordCount(string text)
    {
        var (count, inWord) = (0L, false);
        foreach (var rune in text.EnumerateRunes())
        {
            var word = Rune.IsLetterOrDigit(rune) || rune.Value == '_' || Rune.GetUnicodeCategory(rune) is System.Globalization.UnicodeCategory.LetterNumber or System.Globalization.UnicodeCategory.OtherNumber;
            count += word && !inWord ? 1 : 0;
            inWord = word;
        }
        return count;
    }

    public static PyStr Indent(RenderState state, object? value, object? width, bool first, bool blank)
    {
        var indention = width as PyStr ?? new PyStr(new string(' ', Math.Clamp(Py.Calculated(width), 0, 100_000)));
        if (value is not PyStr text)
        {
            throw value is Undefined u ? u.Fail()
                : value is PyList ? NoLines(value)
                : PyError.TypeError(value is PyTuple ? "can only concatenate tuple (not \"str\") to tuple" : $"unsupported operand type(s) for +=: '{Py.TypeName(value)}' and 'str'");
        }
        var lines = StrMethods.Lines(state, text, keepEnds: false);
        // The filter adds a line end first: a text that ends with one has an empty last line.
        if (text.Text.Length == 0 || CodePoints.IsLineEnd(text.Text[^1]))
            lines.Add(PyStr.Empty);
        var to = state.NewText();
        for (var i = 0; i < lines.Count; i++)
        {
            var line = (PyStr)lines[i]!;
            if (i > 0)
                to.Append("\n", null);
            if (i == 0 ? first : blank || line.Text.Length > 0)
            {
                state.Charge(indention.Text.Length);
                to.Append(indention);
            }
            to.Append(line);
        }
        state.Charge(to.Length);
        return to.ToPyStr(text.Markup);
    }

    private static PyError NoLines(object? value) => new("AttributeError", $"'{Py.TypeName(value)}' object has no attribute 'splitlines'");

    /// <summary>The text of wordwrap, or its error.</summary>
    public static PyStr Lined(object? value) => value as PyStr ?? throw (value is Undefined u ? u.Fail() : NoLines(value));

    public static object? Truncate(RenderState state, object? value, int length, bool killWords, PyStr end, int leeway)
    {
        if (length < end.Length)
            throw new PyError("AssertionError", FormattableString.Invariant($"expected length >= {end.Length}, got {length}"));
        if (leeway < 0)
            throw new PyError("AssertionError", FormattableString.Invariant($"expected leeway >= 0, got {leeway}"));
        if (SequenceFilters.Length(value) <= (long)length + leeway)
            return value;
        if (value is not PyStr text)
            throw PyError.TypeError($"unhashable type: 'slice'");
        var cut = text.PySlice(0, Math.Max(length - end.Length, 0), 1);
        if (!killWords)
            cut = (PyStr)StrMethods.Split(state, cut, new PyStr(" "), 1, fromRight: true)[0]!;
        return Arithmetic.Add(state, cut, end);
    }

    /// <summary>textwrap.wrap on each line: blanks where a line is broken are dropped.</summary>
    public static PyStr WordWrap(RenderState state, PyStr text, int width, bool breakLong, PyStr with, bool hyphens)
    {
        if (width <= 0)
            throw PyError.ValueError(FormattableString.Invariant($"invalid width {width} (must be > 0)"));
        var lines = StrMethods.Lines(state, text, keepEnds: false)
            .Select(line => (object?)StrMethods.Join(state, with, [.. Wrap((PyStr)line!, width, breakLong, hyphens)]));
        return StrMethods.Join(state, with, [.. lines]);
    }

    private static List<PyStr> Wrap(PyStr line, int width, bool breakLong, bool hyphens)
    {
        var chunks = Chunks(line, hyphens);
        chunks.Reverse();
        var lines = new List<PyStr>();
        while (chunks.Count > 0)
        {
            var current = new List<PyStr>();
            var length = 0;
            if (lines.Count > 0 && IsBlank(chunks[^1]))
                chunks.RemoveAt(chunks.Count - 1);
            while (chunks.Count > 0 && length + chunks[^1].Length <= width)
                length += Take(chunks[^1].Length);
            if (chunks.Count > 0 && chunks[^1].Length > width)
            {
                if (breakLong)
                {
                    var space = Math.Max(width - length, width < 1 ? 1 : 0);
                    var (chunk, end) = (chunks[^1], space);
                    if (hyphens && chunk.Length > space && chunk.PySlice(0, space, 1).Text.LastIndexOf('-') is var hyphen and > 0 && chunk.Text[..hyphen].Any(c => c != '-'))
                        end = chunk.Index(hyphen) + 1;
                    current.Add(chunk.PySlice(0, end, 1));
                    chunks[^1] = chunk.PySlice(end, chunk.Length, 1);
                }
                else if (current.Count == 0)
                {
                    Take(0);
                }
            }
            if (current.Count > 0 && IsBlank(current[^1]))
                current.RemoveAt(current.Count - 1);
            if (current.Count > 0)
            {
                var joined = new TextBuilder();
                current.ForEach(joined.Append);
                lines.Add(joined.ToPyStr(line.Markup));
            }

            int Take(int taken)
            {
                current.Add(chunks[^1]);
                chunks.RemoveAt(chunks.Count - 1);
                return taken;
            }
        }
        return lines;

        static bool IsBlank(PyStr chunk) => chunk.Text.All(CodePoints.IsSpace);
    }

    private static List<PyStr> Chunks(PyStr line, bool hyphens)
    {
        var chunks = new List<PyStr>();
        var s = line.Text;
        for (var i = 0; i < s.Length; )
        {
            var end = i + 1;
            if (IsBlank(s[i]))
            {
                while (end < s.Length && IsBlank(s[end]))
                    end++;
            }
            else
            {
                while (end < s.Length && !IsBlank(s[end]) && !(hyphens && s[end - 1] == '-' && end >= 2 && char.IsLetter(s[end - 2]) && char.IsLetter(s[end])))
                    end++;
            }
            chunks.Add(line.Range(i, end - i));
            i = end;
        }
        return chunks;

        static bool IsBlank(char c) => c is ' ' or '\t' or '\n' or '\v' or '\f' or '\r';
    }
}
