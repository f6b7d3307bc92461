namespace Attune.Prompts.Jinja;

/// <summary>The methods of str that cut, join and search, with origins kept.</summary>
internal static class StrMethods
{
    public static PyStr Strip(PyStr text, object? chars, bool left, bool right)
    {
        var (start, end) = (0, text.Text.Length);
        if (chars is null)
        {
            if (left)
                start = CodePoints.TrimmedStart(text.Text);
            if (right)
                end = CodePoints.TrimmedEnd(text.Text, start);
            return text.Range(start, end - start);
        }
        var set = Text(chars, "strip arg must be None or str").EnumerateRunes().ToArray();
        while (left && start < end && System.Text.Rune.GetRuneAt(text.Text, start) is var rune && set.Contains(rune))
            start += rune.Utf16SequenceLength;
        while (right && end > start)
        {
            var size = end - 2 >= start && char.IsLowSurrogate(text.Text[end - 1]) ? 2 : 1;
            if (!set.Contains(System.Text.Rune.GetRuneAt(text.Text, end - size)))
                break;
            end -= size;
        }
        return text.Range(start, end - start);
    }

    private static string Text(object? value, string message) => value is PyStr s ? s.Text : throw PyError.TypeError(message);

    /// <summary>A str argument of a method.</summary>
    public static PyStr Arg(object? value, string what = "must be str, not ") => value as PyStr ?? throw PyError.TypeError(what + Py.TypeName(value));

    public static object?[] Split(RenderState state, PyStr text, object? separator, int max, bool fromRight)
    {
        if (max < 0)
            max = int.MaxValue;
        if (separator is null)
            return [.. fromRight ? SplitBlankRight(state, text, max) : SplitBlank(state, text, max)];
        var by = Arg(separator).Text;
        if (by.Length == 0)
            throw PyError.ValueError("empty separator");
        if (max == int.MaxValue && !fromRight)
            return SplitAll(state, text, by);
        var parts = new List<object?>();
        if (!fromRight)
        {
            var start = 0;
            while (parts.Count < max && text.Text.IndexOf(by, start, StringComparison.Ordinal) is var at and >= 0)
            {
                Add(state, parts, text.Range(start, at - start));
                start = at + by.Length;
            }
            Add(state, parts, text.From(start));
            return [.. parts];
        }
        var end = text.Text.Length;
        while (parts.Count < max && end >= by.Length && text.Text.LastIndexOf(by, end - 1, end, StringComparison.Ordinal) is var at and >= 0)
        {
            Add(state, parts, text.Range(at + by.Length, end - at - by.Length));
            end = at;
        }
        Add(state, parts, text.Range(0, end));
        parts.Reverse();
        return [.. parts];
    }

    /// <summary>At every separator: how many parts there are is known beforehand.</summary>
    private static object?[] SplitAll(RenderState state, PyStr text, string by)
    {
        var parts = new object?[text.Text.AsSpan().Count(by) + 1];
        state.Charge(text.Text.Length + parts.Length);
        var start = 0;
        for (var i = 0; i < parts.Length; i++)
        {
            var end = i + 1 < parts.Length ? text.Text.IndexOf(by, start, StringComparison.Ordinal) : text.Text.Length;
            parts[i] = text.Range(start, end - start);
            start = end + by.Length;
        }
        return parts;
    }

    private static void Add(RenderState state, List<object?> parts, PyStr part)
    {
        state.Charge(part.Text.Length + 1);
        parts.Add(part);
    }

    public static List<object?> SplitBlank(RenderState state, PyStr text, int max)
    {
        if (max < 0)
            max = int.MaxValue;
        var parts = new List<object?>();
        var (s, at) = (text.Text, 0);
        while (true)
        {
            while (at < s.Length && CodePoints.IsSpace(s[at]))
                at++;
            if (at == s.Length)
                return parts;
            var start = at;
            if (parts.Count >= max)
            {
                Add(state, parts, text.Range(start, CodePoints.TrimmedEnd(s, start) - start));
                return parts;
            }
            while (at < s.Length && !CodePoints.IsSpace(s[at]))
                at++;
            Add(state, parts, text.Range(start, at - start));
        }
    }

    private static List<object?> SplitBlankRight(RenderState state, PyStr text, int max)
    {
        var parts = new List<object?>();
        var (s, at) = (text.Text, text.Text.Length);
        while (true)
        {
            while (at > 0 && CodePoints.IsSpace(s[at - 1]))
                at--;
            if (at == 0)
                break;
            var end = at;
            if (parts.Count >= max)
            {
                var start = CodePoints.TrimmedStart(s);
                Add(state, parts, text.Range(start, end - start));
                break;
            }
            while (at > 0 && !CodePoints.IsSpace(s[at - 1]))
                at--;
            Add(state, parts, text.Range(at, end - at));
        }
        parts.Reverse();
        return parts;
    }

    public static List<object?> Lines(RenderState state, PyStr text, bool keepEnds)
    {
        var parts = new List<object?>();
        var s = text.Text;
        for (var start = 0; start < s.Length; )
        {
            var end = start;
            while (end < s.Length && !CodePoints.IsLineEnd(s[end]))
                end++;
            var next = end + (end < s.Length ? s[end] == '\r' && end + 1 < s.Length && s[end + 1] == '\n' ? 2 : 1 : 0);
            Add(state, parts, text.Range(start, (keepEnds ? next : end) - start));
            start = next;
        }
        return parts;
    }

    public static PyStr Join(RenderState state, PyStr separator, object?[] items)
    {
        if (items.Length == 1 && items[0] is PyStr only && only.Markup == separator.Markup)
            return only;
        var to = state.NewText();
        for (var i = 0; i < items.Length; i++)
        {
            if (items[i] is not PyStr item)
                throw PyError.TypeError(FormattableString.Invariant($"sequence item {i}: expected str instance, {Py.TypeName(items[i])} found"));
            if (i > 0)
                to.Append(separator);
            to.Append(separator.Markup ? Html.Escape(state, item) : item);
        }
        state.Charge(to.Length);
        return state.Finish(to, separator.Markup);
    }

    public static PyStr Replace(RenderState state, PyStr text, PyStr old, PyStr with, long count)
    {
        if (text.Markup)
            (old, with) = (Html.Escape(state, old), Html.Escape(state, with));
        if (count < 0)
            count = long.MaxValue;
        var s = text.Text;
        if (count == 0 || (old.Text.Length > 0 && !s.Contains(old.Text, StringComparison.Ordinal)))
            return text;
        var to = state.NewText();
        var start = 0;
        if (old.Text.Length == 0)
        {
            for (; count > 0; count--)
            {
                to.Append(with);
                if (start >= s.Length)
                    break;
                var size = char.IsHighSurrogate(s[start]) && start + 1 < s.Length ? 2 : 1;
                to.Append(text, start, size);
                start += size;
            }
        }
        else
        {
            while (count-- > 0 && s.IndexOf(old.Text, start, StringComparison.Ordinal) is var at and >= 0)
            {
                to.Append(text, start, at - start);
                to.Append(with);
                start = at + old.Text.Length;
            }
        }
        if (start < s.Length)
            to.Append(text, start, s.Length - start);
        state.Charge(to.Length);
        return to.ToPyStr(text.Markup);
    }

    /// <summary>The code unit range that optional start and end arguments name; null where start is past the end.</summary>
    public static (int Start, int End)? Window(PyStr text, object? start, object? end)
    {
        var length = text.Length;
        var from = Bound(start, 0, length);
        var to = Math.Min(Bound(end, length, length), length);
        return from > length ? null : (text.Offset(from), Math.Max(text.Offset(to), 0)) is var w && from > to ? null : w;
    }

    private static int Bound(object? value, int otherwise, int length)
    {
        if (value is null || ReferenceEquals(value, Frame.Missing))
            return otherwise;
        if (!Py.TryIndex(value, out var index))
            throw PyError.TypeError("slice indices must be integers or None or have an __index__ method");
        return (int)Math.Clamp(index < 0 ? index + length : index, 0, int.MaxValue);
    }

    public static int Find(PyStr text, CallArgs args, bool last)
    {
        var part = Arg(args[0]).Text;
        if (Window(text, args.Count > 1 ? args[1] : null, args.Count > 2 ? args[2] : null) is not var (start, end))
            return -1;
        var window = text.Text.AsSpan(start, end - start);
        var at = last ? window.LastIndexOf(part, StringComparison.Ordinal) : window.IndexOf(part, StringComparison.Ordinal);
        return at < 0 ? -1 : text.Index(start + at);
    }

    public static int Count(PyStr text, CallArgs args)
    {
        var part = Arg(args[0]).Text;
        if (Window(text, args.Count > 1 ? args[1] : null, args.Count > 2 ? args[2] : null) is not var (start, end))
            return 0;
        var window = text.Text.AsSpan(start, end - start);
        return part.Length == 0 ? CodePoints.Count(window) + 1 : window.Count(part);
    }

    public static bool Affix(PyStr text, CallArgs args, bool starts, string name)
    {
        if (args.IsText(out var only))
            return starts ? text.Text.StartsWith(only.Text, StringComparison.Ordinal) : text.Text.EndsWith(only.Text, StringComparison.Ordinal);
        object?[] candidates = args[0] is PyTuple tuple ? tuple.Items : [args[0]];
        var window = Window(text, args.Count > 1 ? args[1] : null, args.Count > 2 ? args[2] : null);
        foreach (var candidate in candidates)
        {
            if (candidate is not PyStr affix)
            {
                throw PyError.TypeError(args[0] is PyTuple ? $"tuple for {name} must only contain str, not {Py.TypeName(candidate)}"
                    : $"{name} first arg must be str or a tuple of str, not {Py.TypeName(candidate)}");
            }
            if (window is not var (start, end))
                continue;
            var part = text.Text.AsSpan(start, end - start);
            if (starts ? part.StartsWith(affix.Text, StringComparison.Ordinal) : part.EndsWith(affix.Text, StringComparison.Ordinal))
                return true;
        }
        return false;
    }

    public static PyTuple Partition(PyStr text, PyStr by, bool last)
    {
        if (by.Text.Length == 0)
            throw PyError.ValueError("empty separator");
        var at = last ? text.Text.LastIndexOf(by.Text, StringComparison.Ordinal) : text.Text.IndexOf(by.Text, StringComparison.Ordinal);
        return at >= 0 ? new([text.Range(0, at), text.Range(at, by.Text.Length), text.From(at + by.Text.Length)])
            : last ? new([PyStr.Empty, PyStr.Empty, text]) : new([text, PyStr.Empty, PyStr.Empty]);
    }

    public static PyStr Pad(RenderState state, PyStr text, long width, string fill, double leftShare)
    {
        var missing = width - text.Length;
        if (missing <= 0)
            return text;
        state.Charge(missing * fill.Length);
        // Python's centre puts the odd blank left when the width is odd.
        var left = leftShare switch { 0 => 0, 1 => missing, _ => (missing / 2) + (missing & width & 1) };
        var to = state.NewText();
        for (long i = 0; i < left; i++)
            to.Append(fill);
        to.Append(text);
        for (var i = left; i < missing; i++)
            to.Append(fill);
        return to.ToPyStr(text.Markup);
    }

    public static PyStr ZeroFill(RenderState state, PyStr text, long width)
    {
        var sign = text.Text.Length > 0 && text.Text[0] is '+' or '-' ? 1 : 0;
        if (sign == 0)
            return Pad(state, text, width, "0", 1);
        var to = state.NewText();
        to.Append(text, 0, 1);
        to.Append(Pad(state, text.From(1), width - 1, "0", 1));
        return to.ToPyStr(text.Markup);
    }

    public static PyStr ExpandTabs(RenderState state, PyStr text, long size)
    {
        var to = state.NewText();
        long column = 0;
        for (var i = 0; i < text.Text.Length; i++)
        {
            var c = text.Text[i];
            if (c == '\t')
            {
                var blanks = size > 0 ? size - (column % size) : 0;
                state.Charge(blanks);
                for (long k = 0; k < blanks; k++)
                    to.Append(' ', text.OriginAt(i));
                column += blanks;
                continue;
            }
            to.Append(c, text.OriginAt(i));
            column = c is '\n' or '\r' ? 0 : char.IsLowSurrogate(c) ? column : column + 1;
        }
        return to.ToPyStr(text.Markup);
    }
}
