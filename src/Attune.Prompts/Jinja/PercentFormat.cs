namespace Attune.Prompts.Jinja;

/// <summary>The % operator on a str.</summary>
internal static class PercentFormat
{
    public static PyStr Apply(RenderState state, PyStr format, object? values)
    {
        var to = state.NewText();
        var dict = values as PyDict;
        object?[] args = values is PyTuple tuple ? tuple.Items : [values];
        var used = 0;
        var byKey = false;
        var s = format.Text;
        for (var i = 0; i < s.Length; i++)
        {
            if (s[i] != '%')
            {
                var end = s.IndexOf('%', i);
                end = end < 0 ? s.Length : end;
                to.Append(format, i, end - i);
                i = end - 1;
                continue;
            }
            i++;
            object? value = Frame.Missing;
            if (i < s.Length && s[i] == '(')
            {
                var (start, depth) = (i + 1, 1);
                for (i++; i < s.Length && depth > 0; i++)
                    depth += s[i] == '(' ? 1 : s[i] == ')' ? -1 : 0;
                if (depth > 0)
                    throw PyError.ValueError("incomplete format key");
                if (dict is null)
                    throw values is Undefined absent ? absent.Fail() : PyError.TypeError("format requires a mapping");
                var key = s[start..(i - 1)];
                value = dict.TryGet(new PyStr(key), out var found) ? found : throw new PyError("KeyError", PyRepr.Quote(key));
                byKey = true;
            }
            var spec = new FormatSpec();
            for (; i < s.Length && "-+ #0".Contains(s[i], StringComparison.Ordinal); i++)
            {
                switch (s[i])
                {
                    case '-': spec.Align = '<'; break;
                    case '+': spec.Sign = '+'; break;
                    case ' ' when spec.Sign != '+': spec.Sign = ' '; break;
                    case '#': spec.Alternate = true; break;
                    case '0': spec.Zero = true; break;
                }
            }
            var width = Number(ref i, star: true);
            if (width < 0)
                (spec.Align, width) = ('<', -width);
            spec.Width = width ?? 0;
            if (i < s.Length && s[i] == '.')
            {
                i++;
                spec.Precision = Math.Max(Number(ref i, star: true) ?? 0, 0);
            }
            while (i < s.Length && s[i] is 'h' or 'l' or 'L')
                i++;
            if (i >= s.Length)
                throw PyError.ValueError("incomplete format");
            if (s[i] == '%')
            {
                to.Append('%', format.OriginAt(i));
                continue;
            }
            if (ReferenceEquals(value, Frame.Missing))
                value = Take();
            state.Charge(spec.Width + (spec.Precision ?? 0));
            One(state, to, value, spec, s[i], i, format);
        }
        if (!byKey && dict is null && used < args.Length && (values is PyTuple || (used == 0 && values is not (PyList or Undefined or PyRange))))
            throw PyError.TypeError("not all arguments converted during string formatting");
        state.Charge(to.Length);
        return to.ToPyStr(format.Markup);

        object? Take() => used < args.Length ? args[used++] : throw PyError.TypeError("not enough arguments for format string");

        int? Number(ref int at, bool star)
        {
            if (star && at < s.Length && s[at] == '*')
            {
                at++;
                return Take() is var n && PyNumber.IsInt(n) ? Py.Index(n) : throw PyError.TypeError("* wants int");
            }
            var start = at;
            while (at < s.Length && char.IsAsciiDigit(s[at]))
                at++;
            return at == start ? null : int.TryParse(s.AsSpan(start, at - start), System.Globalization.CultureInfo.InvariantCulture, out var number) ? number
                : throw PyError.ValueError("width too big");
        }
    }

    private static void One(RenderState state, TextBuilder to, object? value, FormatSpec spec, char type, int at, PyStr format)
    {
        switch (type)
        {
            case 's' or 'r' or 'a':
                var text = type == 's' ? value as PyStr ?? PyRepr.Str(state, value) : PyRepr.ReprText(state, value);
                if (format.Markup)
                    text = Html.Escape(state, text);
                spec.Zero = false;
                spec.Align = spec.Align == '<' ? '<' : '>';
                spec.Pad(state, to, text, spec.Precision);
                break;
            case 'c':
                var c = value is PyStr { Length: 1 } one ? one : PyNumber.IsInt(value) && Py.Index(value) is var code && code is >= 0 and < 0x110000 and not (>= 0xD800 and < 0xE000)
                    ? new PyStr(char.ConvertFromUtf32(code), Origin.Computed) : throw PyError.TypeError(PyNumber.IsInt(value) ? "%c arg not in range(0x110000)" : "%c requires int or char");
                spec.Align = spec.Align == '<' ? '<' : '>';
                spec.Pad(state, to, c, null);
                break;
            case 'd' or 'i' or 'u':
                if (!PyNumber.Is(value))
                    throw value is Undefined u ? u.Fail() : PyError.TypeError($"%{type} format: a real number is required, not {Py.TypeName(value)}");
                var whole = value is double d ? Conversion.ToInt(d) : PyNumber.Big(value);
                Signed(state, to, whole.Sign < 0, NumberFormat.Digits(whole, 10).PadLeft(spec.Precision ?? 0, '0'), "", spec);
                break;
            case 'x' or 'X' or 'o':
                if (!PyNumber.IsInt(value))
                    throw value is Undefined u2 ? u2.Fail() : PyError.TypeError($"%{type} format: an integer is required, not {Py.TypeName(value)}");
                var digits = NumberFormat.Digits(PyNumber.Big(value), type == 'o' ? 8 : 16).PadLeft(spec.Precision ?? 0, '0');
                Signed(state, to, PyNumber.Big(value).Sign < 0, type == 'X' ? digits.ToUpperInvariant() : digits, spec.Alternate ? "0" + type : "", spec);
                break;
            case 'e' or 'E' or 'f' or 'F' or 'g' or 'G':
                var number = PyNumber.Is(value) ? PyNumber.Float(value)
                    : throw (value is Undefined u3 ? u3.Fail() : PyError.TypeError($"must be real number, not {Py.TypeName(value)}"));
                Signed(state, to, double.IsNegative(number) && !double.IsNaN(number), NumberFormat.Format(number, type, spec.Precision ?? 6, spec.Alternate), "", spec);
                break;
            default:
                throw PyError.ValueError(FormattableString.Invariant($"unsupported format character {PyRepr.Quote(type.ToString())} (0x{(int)type:x}) at index {at}"));
        }
    }

    private static void Signed(RenderState state, TextBuilder to, bool negative, string digits, string prefix, FormatSpec spec)
    {
        var sign = (negative ? "-" : spec.Sign is '+' or ' ' ? spec.Sign.ToString() : "") + prefix;
        if (spec.Zero && spec.Align != '<' && digits.Length + sign.Length < spec.Width)
            digits = digits.PadLeft(spec.Width - sign.Length, '0');
        spec.Zero = false;
        spec.Align = spec.Align == '<' ? '<' : '>';
        spec.Pad(state, to, new PyStr(sign + digits), null);
    }
}
