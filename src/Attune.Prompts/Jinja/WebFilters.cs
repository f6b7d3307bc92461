using System.Text;

namespace Attune.Prompts.Jinja;

/// <summary>urlencode and xmlattr.</summary>
internal static class WebFilters
{
    public static PyStr UrlEncode(RenderState state, object? value)
    {
        if (value is PyStr || !Iteration.IsIterable(value))
            return Quote(state, value, query: false);
        var to = state.NewText();
        var first = true;
        foreach (var pair in Iteration.Each(state, value is PyDict dict ? new PyView(dict, "items") : value))
        {
            var both = Iteration.Unpack(state, pair, 2);
            if (!first)
                to.Append("&");
            first = false;
            to.Append(Quote(state, both[0], query: true));
            to.Append("=");
            to.Append(Quote(state, both[1], query: true));
        }
        state.Charge(to.Length);
        return to.ToPyStr();
    }

    private static PyStr Quote(RenderState state, object? value, bool query)
    {
        var text = Filters.Soft(state, value);
        var to = state.NewText();
        Span<byte> bytes = stackalloc byte[4];
        for (var i = 0; i < text.Text.Length; )
        {
            var rune = Rune.TryGetRuneAt(text.Text, i, out var found) ? found : Rune.ReplacementChar;
            var origin = text.OriginAt(i);
            if (rune.IsAscii && (char.IsAsciiLetterOrDigit((char)rune.Value) || "_.-~".Contains((char)rune.Value, StringComparison.Ordinal) || (rune.Value == '/' && !query)))
                to.Append((char)rune.Value, origin);
            else if (rune.Value == ' ' && query)
                to.Append('+', origin);
            else
            {
                foreach (var b in bytes[..rune.EncodeToUtf8(bytes)])
                    to.Append(FormattableString.Invariant($"%{b:X2}"), origin);
            }
            i += rune.Utf16SequenceLength;
        }
        state.Charge(to.Length);
        return to.ToPyStr();
    }

    public static PyStr XmlAttr(RenderState state, object? value, bool space)
    {
        if (value is not PyDict dict)
            throw value is Undefined u ? u.Fail() : new PyError("AttributeError", $"'{Py.TypeName(value)}' object has no attribute 'items'");
        var to = state.NewText();
        for (var i = 0; i < dict.Count; i++)
        {
            if (dict.ValueAt(i) is null or Undefined)
                continue;
            if (dict.KeyAt(i) is not PyStr key)
                throw PyError.TypeError($"expected string or bytes-like object, got '{Py.TypeName(dict.KeyAt(i))}'");
            if (key.Text.AsSpan().IndexOfAny(" \t\n\r\f\v/>=") >= 0)
                throw PyError.ValueError($"Invalid character in attribute name: {PyRepr.Repr(key)}");
            if (to.Length > 0 || space)
                to.Append(" ");
            to.Append(Html.Escape(state, key));
            to.Append("=\"");
            to.Append(Html.EscapeValue(state, dict.ValueAt(i)));
            to.Append("\"");
        }
        return to.ToPyStr();
    }
}
