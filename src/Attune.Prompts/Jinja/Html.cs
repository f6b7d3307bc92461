namespace Attune.Prompts.Jinja;

/// <summary>HTML escaping, for safe, escape and what is joined to Markup.</summary>
internal static class Html
{
    public static PyStr EscapeValue(RenderState state, object? value) => Escape(state, value as PyStr ?? PyRepr.Str(state, value));

    /// <summary>The text as Markup: escaped, unless it is that already.</summary>
    public static PyStr Escape(RenderState state, PyStr text)
    {
        if (text.Markup)
            return text;
        if (text.Text.AsSpan().IndexOfAny("&<>'\"") < 0)
            return text.WithMarkup(true);
        var to = state.NewText();
        for (var i = 0; i < text.Text.Length; i++)
        {
            var entity = text.Text[i] switch { '&' => "&amp;", '<' => "&lt;", '>' => "&gt;", '\'' => "&#39;", '"' => "&#34;", _ => null };
            if (entity is null)
                to.Append(text.Text[i], text.OriginAt(i));
            else
                to.Append(entity, text.OriginAt(i));
        }
        state.Charge(to.Length);
        return to.ToPyStr(markup: true);
    }

    /// <summary>Tags and comments out, blank space to single blanks, entities to characters.</summary>
    public static PyStr StripTags(RenderState state, PyStr text)
    {
        text = Cut(state, text, "<!--", "-->");
        text = Cut(state, text, "<", ">");
        return Unescape(state, StrMethods.Join(state, new PyStr(" "), [.. StrMethods.SplitBlank(state, text, -1)]));
    }

    private static PyStr Cut(RenderState state, PyStr text, string open, string close)
    {
        var to = state.NewText();
        var at = 0;
        while (text.Text.IndexOf(open, at, StringComparison.Ordinal) is var start and >= 0
            && text.Text.IndexOf(close, start, StringComparison.Ordinal) is var end and >= 0)
        {
            to.Append(text, at, start - at);
            at = end + close.Length;
        }
        to.Append(text, at, text.Text.Length - at);
        return to.ToPyStr();
    }

    private static PyStr Unescape(RenderState state, PyStr text)
    {
        if (!text.Text.Contains('&', StringComparison.Ordinal))
            return text;
        var to = state.NewText();
        for (var i = 0; i < text.Text.Length; i++)
        {
            var end = text.Text[i] == '&' ? text.Text.IndexOf(';', i) : -1;
            var decoded = end > i && end - i < 40 ? System.Net.WebUtility.HtmlDecode(text.Text[i..(end + 1)]) : null;
            if (decoded is null || decoded.Length > end - i)
            {
                to.Append(text.Text[i], text.OriginAt(i));
                continue;
            }
            to.Append(decoded, text.OriginAt(i));
            i = end;
        }
        return to.ToPyStr();
    }
}
