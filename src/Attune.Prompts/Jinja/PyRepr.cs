using System.Globalization;
using System.Text;

namespace Attune.Prompts.Jinja;

/// <summary>str() and repr(). The text that prints a container keeps the origins of what is inside it.</summary>
internal static class PyRepr
{
    public static PyStr Str(RenderState? state, object? value)
    {
        switch (value)
        {
            case PyStr text:
                return text.Markup ? text.WithMarkup(false) : text;
            case null:
                return NoneText;
            case bool b:
                return b ? TrueText : FalseText;
            case long n:
                return new PyStr(n.ToString(CultureInfo.InvariantCulture));
            case Undefined:
                return PyStr.Empty;
            default:
                var builder = state is null ? new TextBuilder() : state.NewText();
                Write(builder, value, null);
                state?.Charge(builder.Length);
                return builder.ToPyStr();
        }
    }

    private static readonly PyStr NoneText = new("None");
    private static readonly PyStr TrueText = new("True");
    private static readonly PyStr FalseText = new("False");

    public static string Repr(object? value)
    {
        var builder = new TextBuilder().Limited(1 << 20);
        Write(builder, value, null);
        return builder.Chars.ToString();
    }

    public static PyStr ReprText(RenderState state, object? value)
    {
        var builder = state.NewText();
        Write(builder, value, null);
        state.Charge(builder.Length);
        return builder.ToPyStr();
    }

    private static void Write(TextBuilder to, object? value, Origin? origin)
    {
        switch (value)
        {
            case null:
                to.Append("None", origin);
                break;
            case bool b:
                to.Append(b ? "True" : "False", origin);
                break;
            case long n:
                to.Append(n.ToString(CultureInfo.InvariantCulture), origin);
                break;
            case System.Numerics.BigInteger n:
                to.Append(PyNumber.IntText(n), origin);
                break;
            case double d:
                to.Append(PyNumber.FloatText(d), origin);
                break;
            case PyStr s:
                if (s.Markup)
                    to.Append("Markup(", s.Origin);
                Quoted(to, s);
                if (s.Markup)
                    to.Append(")", s.Origin);
                break;
            case PyList l:
                Items(to, l.Items, "[", "]", l.Origin ?? origin);
                break;
            case PyTuple t:
                Items(to, t.Items, "(", t.Items.Length == 1 ? ",)" : ")", origin);
                break;
            case PyDict d:
                Dict(to, d, d.Origin ?? origin);
                break;
            case PyRange r:
                to.Append(r.Step == 1 ? FormattableString.Invariant($"range({r.Start}, {r.Stop})") : FormattableString.Invariant($"range({r.Start}, {r.Stop}, {r.Step})"), origin);
                break;
            case PyView v:
                to.Append($"dict_{v.Kind}(", origin);
                Items(to, [.. Iteration.View(v)], "[", "]", v.Dict.Origin ?? origin);
                to.Append(")", origin);
                break;
            case Undefined:
                to.Append("Undefined", origin);
                break;
            case LoopValue l:
                to.Append(l.Repr(), origin);
                break;
            case MacroValue m:
                to.Append(m.Repr(), origin);
                break;
            case Namespace n:
                to.Append("<Namespace ", origin);
                Write(to, n.ToDict(), origin);
                to.Append(">", origin);
                break;
            case TypeValue t:
                to.Append($"<class '{t.Name}'>", origin);
                break;
            case PyGenerator g:
                to.Append($"<generator object {g.Name}>", origin);
                break;
            case TemplateReference:
                to.Append(TemplateReference.Repr, origin);
                break;
            case BoundMethod b:
                to.Append($"<built-in method {b.Name} of {Py.TypeName(b.Self)} object>", origin);
                break;
            case Builtin b:
                to.Append($"<function {b.Name}>", origin);
                break;
            default:
                to.Append($"<{Py.TypeName(value)} object>", origin);
                break;
        }
    }

    private static void Items(TextBuilder to, ReadOnlySpan<object?> items, string open, string close, Origin? origin)
    {
        PyCompare.Guard();
        to.Append(open, origin);
        for (var i = 0; i < items.Length; i++)
        {
            if (i > 0)
                to.Append(", ", origin);
            Write(to, items[i], origin);
        }
        to.Append(close, origin);
    }

    private static void Dict(TextBuilder to, PyDict dict, Origin? origin)
    {
        PyCompare.Guard();
        to.Append("{", origin);
        for (var i = 0; i < dict.Count; i++)
        {
            if (i > 0)
                to.Append(", ", origin);
            Write(to, dict.KeyAt(i), origin);
            to.Append(": ", origin);
            Write(to, dict.ValueAt(i), origin);
        }
        to.Append("}", origin);
    }

    /// <summary>repr of a str, without origins: for messages.</summary>
    public static string Quote(string text)
    {
        var builder = new TextBuilder();
        Quoted(builder, new PyStr(text));
        return builder.Chars.ToString();
    }

    private static void Quoted(TextBuilder to, PyStr value)
    {
        var text = value.Text;
        var quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        to.Append(quote, value.OriginOfStart);
        var plain = 0;
        for (var i = 0; i < text.Length; i++)
        {
            var length = char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]) ? 2 : 1;
            var escape = Escape(text, i, length, quote);
            if (escape is not null)
            {
                to.Append(value, plain, i - plain);
                to.Append(escape, value.OriginAt(i));
                plain = i + length;
            }
            i += length - 1;
        }
        to.Append(value, plain, text.Length - plain);
        to.Append(quote, value.OriginOfStart);
    }

    private static string? Escape(string text, int at, int length, char quote)
    {
        var c = text[at];
        if (c == quote || c == '\\')
            return "\\" + c;
        if (c is >= ' ' and < '\x7f')
            return null;
        switch (c)
        {
            case '\n': return "\\n";
            case '\r': return "\\r";
            case '\t': return "\\t";
        }
        var rune = length == 2 ? new Rune(c, text[at + 1]) : Rune.TryCreate(c, out var single) ? single : default;
        if (Printable(rune))
            return null;
        return rune.Value < 0x100 ? FormattableString.Invariant($"\\x{rune.Value:x2}")
            : rune.Value < 0x10000 ? FormattableString.Invariant($"\\u{rune.Value:x4}")
            : FormattableString.Invariant($"\\U{rune.Value:x8}");
    }

    private static bool Printable(Rune rune) => Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control or UnicodeCategory.Format
        or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator or UnicodeCategory.SpaceSeparator);
}
