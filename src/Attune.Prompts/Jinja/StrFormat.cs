using System.Globalization;

namespace Attune.Prompts.Jinja;

/// <summary>A format specification: [[fill]align][sign][#][0][width][,][.precision][type].</summary>
internal sealed class FormatSpec
{
    public string Fill = " ";
    public bool OwnFill;
    public char Align;
    public char Sign;
    public bool Alternate;
    public bool Zero;
    public int Width;
    public char Grouping;
    public int? Precision;
    public char Type;

    public static FormatSpec Parse(string spec, string typeName)
    {
        var result = new FormatSpec();
        var at = 0;
        var first = spec.Length > 0 && char.IsHighSurrogate(spec[0]) && spec.Length > 1 ? 2 : 1;
        if (spec.Length > first && spec[first] is '<' or '>' or '^' or '=')
        {
            result.Fill = spec[..first];
            result.OwnFill = true;
            result.Align = spec[first];
            at = first + 1;
        }
        else if (spec.Length > 0 && spec[0] is '<' or '>' or '^' or '=')
        {
            result.Align = spec[at++];
        }
        if (at < spec.Length && spec[at] is '+' or '-' or ' ')
            result.Sign = spec[at++];
        if (at < spec.Length && spec[at] == 'z')
            at++;
        if (at < spec.Length && spec[at] == '#')
        {
            result.Alternate = true;
            at++;
        }
        if (at < spec.Length && spec[at] == '0')
        {
            result.Zero = true;
            at++;
        }
        result.Width = Number(spec, ref at) ?? 0;
        if (at < spec.Length && spec[at] is ',' or '_')
            result.Grouping = spec[at++];
        if (at < spec.Length && spec[at] == '.')
        {
            at++;
            result.Precision = Number(spec, ref at) ?? throw PyError.ValueError("Format specifier missing precision");
        }
        if (at < spec.Length - 1)
            throw PyError.ValueError($"Invalid format specifier '{spec}' for object of type '{typeName}'");
        if (at < spec.Length)
            result.Type = spec[at];
        return result;
    }

    private static int? Number(string spec, ref int at)
    {
        var start = at;
        while (at < spec.Length && char.IsAsciiDigit(spec[at]))
            at++;
        return at == start ? null : int.TryParse(spec.AsSpan(start, at - start), CultureInfo.InvariantCulture, out var number) ? number
            : throw PyError.ValueError("Too many decimal digits in format string");
    }

    /// <summary>Writes a text, cut to a precision and filled to the width.</summary>
    public void Pad(RenderState state, TextBuilder to, PyStr text, int? cut)
    {
        if (cut < text.Length)
            text = text.PySlice(0, cut.Value, 1);
        var missing = Math.Max(Width - text.Length, 0);
        state.Charge(missing);
        var left = Align switch { '>' => missing, '^' => missing / 2, _ => 0 };
        for (var i = 0; i < left; i++)
            to.Append(Fill);
        to.Append(text);
        for (var i = left; i < missing; i++)
            to.Append(Fill);
    }
}

/// <summary>str.format, as the sandbox gives it: fields reach only what the template could.</summary>
internal static class StrFormat
{
    public static PyStr Apply(RenderState state, PyStr format, object?[] args, object? named)
    {
        var to = state.NewText();
        var automatic = 0;
        Expand(state, to, format, args, named, ref automatic, 2);
        state.Charge(to.Length);
        return to.ToPyStr(format.Markup);
    }

    private static void Expand(RenderState state, TextBuilder to, PyStr format, object?[] args, object? named, ref int automatic, int depth)
    {
        if (depth < 0)
            throw PyError.ValueError("Max string recursion exceeded");
        var s = format.Text;
        for (var i = 0; i < s.Length; i++)
        {
            if (s[i] is not ('{' or '}'))
            {
                var end = s.AsSpan(i).IndexOfAny('{', '}');
                end = end < 0 ? s.Length : i + end;
                to.Append(format, i, end - i);
                i = end - 1;
                continue;
            }
            if (i + 1 < s.Length && s[i + 1] == s[i])
            {
                to.Append(s[i], format.OriginAt(i));
                i++;
                continue;
            }
            if (s[i] == '}')
                throw PyError.ValueError("Single '}' encountered in format string");
            var (start, open) = (i + 1, 1);
            for (i++; i < s.Length && open > 0; i++)
                open += s[i] == '{' ? 1 : s[i] == '}' ? -1 : 0;
            if (open > 0)
                throw PyError.ValueError(start >= s.Length ? "Single '{' encountered in format string" : "expected '}' before end of string");
            i--;
            Field(state, to, format.Range(start, i - start), args, named, ref automatic, depth);
        }
    }

    private static void Field(RenderState state, TextBuilder to, PyStr field, object?[] args, object? named, ref int automatic, int depth)
    {
        var s = field.Text;
        var bracket = 0;
        var nameEnd = 0;
        for (; nameEnd < s.Length; nameEnd++)
        {
            bracket += s[nameEnd] == '[' ? 1 : s[nameEnd] == ']' ? -1 : 0;
            if (bracket <= 0 && s[nameEnd] is ':' or '!')
                break;
        }
        var name = s[..nameEnd];
        var at = nameEnd;
        var conversion = '\0';
        if (at < s.Length && s[at] == '!')
        {
            if (at + 1 >= s.Length)
                throw PyError.ValueError("end of string while looking for conversion specifier");
            conversion = s[at + 1];
            at += 2;
            if (at < s.Length && s[at] != ':')
                throw PyError.ValueError("expected ':' after conversion specifier");
        }
        var value = Lookup(state, name, args, named, ref automatic);
        value = conversion switch
        {
            '\0' => value,
            's' => value as PyStr ?? PyRepr.Str(state, value),
            'r' or 'a' => PyRepr.ReprText(state, value),
            _ => throw PyError.ValueError($"Unknown conversion specifier {conversion}"),
        };
        var spec = "";
        if (at < s.Length)
        {
            var inner = state.NewText();
            Expand(state, inner, field.From(at + 1), args, named, ref automatic, depth - 1);
            spec = inner.Chars.ToString();
            if (inner.ToPyStr().FromCaller)
            {
                // A filling that a caller chose is the caller's text.
                var whole = state.NewText();
                One(state, whole, value, spec);
                to.Append(whole.Chars, Origin.Computed);
                return;
            }
        }
        One(state, to, value, spec);
    }

    private static object? Lookup(RenderState state, string name, object?[] args, object? named, ref int automatic)
    {
        var end = name.AsSpan().IndexOfAny('.', '[');
        var first = end < 0 ? name : name[..end];
        object? value;
        if (first.Length == 0 || first.All(char.IsAsciiDigit))
        {
            if (first.Length == 0 ? automatic < 0 : automatic > 0)
                throw PyError.ValueError(first.Length == 0 ? "cannot switch from manual field specification to automatic field numbering" : "cannot switch from automatic field numbering to manual field specification");
            var index = first.Length == 0 ? automatic++ : int.TryParse(first, CultureInfo.InvariantCulture, out var n) ? n : int.MaxValue;
            if (first.Length > 0)
                automatic = -1;
            value = index < args.Length ? args[index]
                : throw new PyError("IndexError", FormattableString.Invariant($"Replacement index {index} out of range for positional args tuple"));
        }
        else if (named is PyDict dict)
        {
            value = dict.TryGet(new PyStr(first), out var found) ? found : throw new PyError("KeyError", PyRepr.Quote(first));
        }
        else
        {
            value = Attributes.GetItem(state, named, new PyStr(first));
        }
        while (end >= 0 && end < name.Length)
        {
            if (name[end] == '.')
            {
                var next = name.AsSpan(end + 1).IndexOfAny('.', '[');
                next = next < 0 ? name.Length : end + 1 + next;
                if (next == end + 1)
                    throw PyError.ValueError("Empty attribute in format string");
                value = Attributes.GetAttr(state, value, new PyStr(name[(end + 1)..next]));
                end = next;
                continue;
            }
            if (name[end] != '[')
                throw PyError.ValueError("Only '.' or '[' may follow ']' in format field specifier");
            var close = name.IndexOf(']', end);
            if (close < 0)
                throw PyError.ValueError("Missing ']' in format string");
            var key = name[(end + 1)..close];
            if (key.Length == 0)
                throw PyError.ValueError("Empty attribute in format string");
            value = Attributes.GetItem(state, value, key.All(char.IsAsciiDigit) ? PyNumber.ParseInt(key, 10) : new PyStr(key));
            end = close + 1;
        }
        return value;
    }

    /// <summary>format(value, spec).</summary>
    private static void One(RenderState state, TextBuilder to, object? value, string specText)
    {
        if (specText.Length == 0)
        {
            to.Append(value as PyStr ?? PyRepr.Str(state, value));
            return;
        }
        var typeName = Py.TypeName(value);
        if (value is not PyStr && !PyNumber.Is(value))
            throw PyError.TypeError($"unsupported format string passed to {typeName}.__format__");
        var spec = FormatSpec.Parse(specText, typeName);
        state.Charge(spec.Width + (spec.Precision ?? 0));
        if (value is PyStr text)
        {
            if (spec.Type is not ('\0' or 's'))
                throw PyError.ValueError($"Unknown format code '{spec.Type}' for object of type 'str'");
            if (spec.Grouping != 0)
                throw PyError.ValueError($"Cannot specify '{spec.Grouping}' with 's'.");
            if (spec.Sign != 0)
                throw PyError.ValueError("Sign not allowed in string format specifier");
            if (spec.Align == '=')
                throw PyError.ValueError("'=' alignment not allowed in string format specifier");
            if (spec.Zero && !spec.OwnFill)
                spec.Fill = "0";
            if (spec.Align == 0)
                spec.Align = '<';
            spec.Pad(state, to, text, spec.Precision);
            return;
        }
        if (value is bool && spec.Type == '\0')
        {
            spec.Type = 'd';
        }
        var (negative, prefix, digits) = Number(value, spec, typeName);
        var sign = (negative ? "-" : spec.Sign is '+' or ' ' ? spec.Sign.ToString() : "") + prefix;
        if (spec.Zero && spec.Align == 0)
            (spec.Align, spec.Fill) = ('=', "0");
        else if (spec.Zero && !spec.OwnFill)
            spec.Fill = "0";
        if (spec.Grouping != 0)
            digits = Group(digits, spec.Grouping, spec.Type is 'x' or 'X' or 'b' or 'o' ? 4 : 3, spec is { Align: '=', Fill: "0" } ? spec.Width - sign.Length : 0);
        if (spec.Align == '=')
        {
            var missing = Math.Max(spec.Width - sign.Length - digits.Length, 0);
            to.Append(sign);
            for (var i = 0; i < missing; i++)
                to.Append(spec.Fill);
            to.Append(digits, spec.Type == 'c' ? Origin.Computed : null);
            return;
        }
        if (spec.Align == 0)
            spec.Align = '>';
        spec.Pad(state, to, new PyStr(sign + digits, spec.Type == 'c' ? Origin.Computed : null), null);
    }

    private static (bool Negative, string Prefix, string Digits) Number(object? value, FormatSpec spec, string typeName)
    {
        if (value is double || spec.Type is 'e' or 'E' or 'f' or 'F' or 'g' or 'G' or '%')
        {
            if (spec.Type is not ('\0' or 'e' or 'E' or 'f' or 'F' or 'g' or 'G' or 'n' or '%'))
                throw PyError.ValueError($"Unknown format code '{spec.Type}' for object of type '{typeName}'");
            var number = PyNumber.Float(value);
            var negative = double.IsNegative(number) && !double.IsNaN(number);
            if (spec.Type == '%')
                return (negative, "", NumberFormat.Format(number * 100, 'f', spec.Precision ?? 6, spec.Alternate) + "%");
            if (spec.Type != '\0')
                return (negative, "", NumberFormat.Format(number, spec.Type == 'n' ? 'g' : spec.Type, spec.Precision ?? 6, spec.Alternate));
            if (spec.Precision is null)
                return (negative, "", PyNumber.FloatText(Math.Abs(number)));
            var text = NumberFormat.Format(number, 'g', spec.Precision.Value, spec.Alternate);
            return (negative, "", text.AsSpan().IndexOfAny(".einf") < 0 ? NumberFormat.Significant(Math.Abs(number), Math.Max(spec.Precision.Value, 1)).Exponent + 1 >= spec.Precision ? NumberFormat.Scientific(Math.Abs(number), Math.Max(text.TrimEnd('0').Length - 1, 0)) : text + ".0" : text);
        }
        if (spec.Precision is not null)
            throw PyError.ValueError("Precision not allowed in integer format specifier");
        var big = PyNumber.Big(value);
        switch (spec.Type)
        {
            case '\0' or 'd' or 'n':
                return (big.Sign < 0, "", NumberFormat.Digits(big, 10));
            case 'x' or 'X':
                var hex = NumberFormat.Digits(big, 16);
                return (big.Sign < 0, spec.Alternate ? "0" + spec.Type : "", spec.Type == 'X' ? hex.ToUpperInvariant() : hex);
            case 'o':
                return (big.Sign < 0, spec.Alternate ? "0o" : "", NumberFormat.Digits(big, 8));
            case 'b':
                return (big.Sign < 0, spec.Alternate ? "0b" : "", NumberFormat.Digits(big, 2));
            case 'c':
                return (false, "", Py.Index(value) is >= 0 and < 0x110000 and not (>= 0xD800 and < 0xE000) and var code ? char.ConvertFromUtf32(code) : throw new PyError("OverflowError", "%c arg not in range(0x110000)"));
            default:
                throw PyError.ValueError($"Unknown format code '{spec.Type}' for object of type '{typeName}'");
        }
    }

    private static string Group(string digits, char separator, int size, int width)
    {
        var end = digits.AsSpan().IndexOfAny('.', 'e', '%');
        var tail = end < 0 || !char.IsAsciiDigit(digits[0]) ? "" : digits[end..];
        var whole = digits[..^tail.Length];
        var result = "";
        while (whole.Length > 0 || result.Length + tail.Length < width)
        {
            var missing = width - result.Length - tail.Length - (result.Length > 0 ? 1 : 0);
            if (whole.Length == 0 && missing <= 0 && result.Length + tail.Length >= width)
                break;
            var take = Math.Min(size, Math.Max(whole.Length, Math.Max(missing, 1)));
            var part = whole.Length >= take ? whole[^take..] : whole.PadLeft(take, '0');
            whole = whole.Length >= take ? whole[..^take] : "";
            result = result.Length > 0 ? part + separator + result : part;
        }
        return result + tail;
    }
}
