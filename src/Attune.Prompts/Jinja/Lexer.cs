using System.Globalization;
using System.Numerics;
using System.Text;

namespace Attune.Prompts.Jinja;

internal enum T
{
    Data, VariableBegin, VariableEnd, BlockBegin, BlockEnd, Name, String, Integer, Float, Operator, Eof,

    /// <summary>Its value is the error of what could not be read. Jinja reads as it parses, so the parser may fail before it gets here.</summary>
    Error,
}

/// <summary>A token: its kind, its text (or the operator), its value and its offset in the normalised source.</summary>
internal readonly record struct Token(T Type, string Text, object? Value, int Position);

/// <summary>
/// Jinja's lexer with trim_blocks and lstrip_blocks on. A block tag eats one line end after it and the blanks
/// before it on its line; <c>-</c> eats all blank space on its side, <c>+</c> none.
/// </summary>
internal sealed class Lexer(string source)
{
    private static readonly string[] Operators3To1 =
        ["//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}", "=", ">", "<", ".", ":", "|", ",", ";"];

    private readonly List<Token> _tokens = [];
    private int _at;

    /// <summary>Line ends become LF and one at the end is dropped, as Jinja does before it looks at anything.</summary>
    public static string Normalise(string source)
    {
        var text = source.Contains('\r', StringComparison.Ordinal)
            ? source.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n') : source;
        return text.EndsWith('\n') ? text[..^1] : text;
    }

    public List<Token> Tokenize()
    {
        try
        {
            All();
        }
        catch (PyError error)
        {
            _tokens.Add(new(T.Error, "", error, Math.Min(_at, source.Length)));
        }
        _tokens.Add(new(T.Eof, "", null, source.Length));
        return _tokens;
    }

    private void All()
    {
        var lineStart = true;
        while (_at < source.Length)
        {
            var tag = NextTag(_at);
            if (tag < 0)
            {
                Data(_at, source.Length);
                break;
            }
            var kind = source[tag + 1];
            var (sign, open) = Sign(tag + 2);
            Data(_at, Stripped(_at, tag, sign, kind, lineStart));
            switch (kind)
            {
                case '#':
                    Comment(tag, open);
                    break;
                case '%' when RawBody(open) is { } body:
                    Raw(tag, body);
                    break;
                default:
                    _tokens.Add(new(kind == '%' ? T.BlockBegin : T.VariableBegin, "", null, tag));
                    _at = open;
                    Inside(kind);
                    break;
            }
            lineStart = _at > 0 && source[_at - 1] == '\n';
        }
    }

    private int NextTag(int from)
    {
        for (var i = source.IndexOf('{', from); i >= 0 && i + 1 < source.Length; i = source.IndexOf('{', i + 1))
        {
            if (source[i + 1] is '{' or '%' or '#')
                return i;
        }
        return -1;
    }

    private (char Sign, int After) Sign(int at) =>
        at < source.Length && source[at] is '-' or '+' ? (source[at], at + 1) : ('\0', at);

    /// <summary>Where the text before a tag ends once the tag's stripping is done.</summary>
    private int Stripped(int start, int end, char sign, char kind, bool lineStart)
    {
        var text = source.AsSpan(start, end - start);
        if (sign == '-')
        {
            while (text.Length > 0 && CodePoints.IsSpace(text[^1]))
                text = text[..^1];
            return start + text.Length;
        }
        if (sign == '+' || kind == '{')
            return end;
        var line = text.LastIndexOf('\n') + 1;
        if (line == 0 && !lineStart)
            return end;
        foreach (var c in text[line..])
        {
            if (!CodePoints.IsSpace(c))
                return end;
        }
        return start + line;
    }

    private void Data(int start, int end)
    {
        if (end > start)
            _tokens.Add(new(T.Data, source[start..end], null, start));
    }

    private int SkipSpace(int at)
    {
        while (at < source.Length && CodePoints.IsSpace(source[at]))
            at++;
        return at;
    }

    private bool Is(int at, string text) => string.CompareOrdinal(source, at, text, 0, text.Length) == 0;

    /// <summary>The end of a tag at an offset, with what it eats after it, or -1 where none stands there.</summary>
    private int TagEnd(int at, string close, bool trims)
    {
        if (Is(at, close))
            return trims && Is(at + 2, "\n") ? at + 3 : at + 2;
        if (at < source.Length && source[at] == '-' && Is(at + 1, close))
            return SkipSpace(at + 3);
        return trims && at < source.Length && source[at] == '+' && Is(at + 1, close) ? at + 3 : -1;
    }

    private void Comment(int tag, int open)
    {
        // As Jinja has it, a comment that opens at the very end is none.
        _at = open;
        for (var i = open; i < source.Length; i++)
        {
            if (source[i] is not ('#' or '-' or '+'))
                continue;
            var end = TagEnd(i, "#}", trims: true);
            if (end >= 0)
            {
                _at = end;
                return;
            }
        }
        if (open < source.Length)
            throw PyError.Syntax("Missing end of comment tag", tag);
    }

    /// <summary>Where the body of a raw block starts, if the tag is one.</summary>
    private int? RawBody(int open)
    {
        var at = SkipSpace(open);
        if (!Is(at, "raw"))
            return null;
        at = SkipSpace(at + 3);
        return Is(at, "%}") ? at + 2 : Is(at, "-%}") ? SkipSpace(at + 3) : null;
    }

    private void Raw(int tag, int body)
    {
        for (var i = source.IndexOf("{%", body, StringComparison.Ordinal); i >= 0; i = source.IndexOf("{%", i + 1, StringComparison.Ordinal))
        {
            var (sign, open) = Sign(i + 2);
            var at = SkipSpace(open);
            if (!Is(at, "endraw"))
                continue;
            var end = TagEnd(SkipSpace(at + 6), "%}", trims: true);
            if (end < 0)
                continue;
            Data(body, Stripped(body, i, sign, '%', body > 0 && source[body - 1] == '\n'));
            _at = end;
            return;
        }
        _at = body;
        if (body < source.Length)
            throw PyError.Syntax("Missing end of raw directive", tag);
    }

    private void Inside(char kind)
    {
        var close = kind == '%' ? "%}" : "}}";
        var open = new Stack<char>();
        while (true)
        {
            if (open.Count == 0)
            {
                var end = TagEnd(_at, close, trims: kind == '%');
                if (end >= 0)
                {
                    _tokens.Add(new(kind == '%' ? T.BlockEnd : T.VariableEnd, "", null, _at));
                    _at = end;
                    return;
                }
            }
            if (_at >= source.Length)
                return;
            var c = source[_at];
            if (CodePoints.IsSpace(c))
                _at++;
            else if (char.IsAsciiDigit(c) && Number())
                continue;
            else if (IsWord(_at))
                Name();
            else if (c is '\'' or '"')
                String(c);
            else
                Operator(open);
        }
    }

    /// <summary>An offset as the reference counts it, in code points.</summary>
    private int Counted(int at) => at - source.AsSpan(0, at).ToString().Count(char.IsLowSurrogate);

    private bool IsWord(int at) => at < source.Length && (source[at] == '_' || (char.IsHighSurrogate(source[at]) && at + 1 < source.Length
        ? Rune.IsLetterOrDigit(new Rune(source[at], source[at + 1]))
        : char.IsLetterOrDigit(source[at]) || (char.IsLowSurrogate(source[at]) && at > 0 && IsWord(at - 1))
          || char.GetUnicodeCategory(source[at]) is UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber));

    private void Name()
    {
        var start = _at;
        while (IsWord(_at))
            _at++;
        var name = source[start.._at];
        if (char.IsDigit(name[0]) || name.AsSpan().ContainsAnyExceptInRange('\0', '\x7f') && !Identifier(name))
            throw PyError.Syntax("Invalid character in identifier", start);
        _tokens.Add(new(T.Name, name, null, start));
    }

    private static bool Identifier(string name) =>
        !char.IsDigit(name[0]) && name.EnumerateRunes().All(r => r.Value == '_' || Rune.IsLetter(r) || Rune.IsDigit(r)
            || Rune.GetUnicodeCategory(r) is UnicodeCategory.LetterNumber);

    /// <summary>Reads a float or an integer. False where the digits start neither (012), which a name then refuses.</summary>
    private bool Number()
    {
        var start = _at;
        var afterDot = start > 0 && source[start - 1] == '.';
        var digits = Digits(start);
        if (!afterDot)
        {
            var end = digits;
            if (end < source.Length && source[end] == '.' && Digits(end + 1) is var fraction && fraction > end + 1)
                end = fraction;
            if (end < source.Length && source[end] is 'e' or 'E')
            {
                var exponent = end + 1;
                if (exponent < source.Length && source[exponent] is '+' or '-')
                    exponent++;
                if (Digits(exponent) is var power && power > exponent)
                    end = power;
            }
            if (end > digits)
            {
                _at = end;
                var text = source[start..end].Replace("_", "", StringComparison.Ordinal);
                _tokens.Add(new(T.Float, text, double.Parse(text, CultureInfo.InvariantCulture), start));
                return true;
            }
        }
        if (source[start] == '0' && Based(start))
            return true;
        if (source[start] == '0')
        {
            digits = start + 1;
            while (digits < source.Length && (source[digits] == '0' || (source[digits] == '_' && digits + 1 < source.Length && source[digits + 1] == '0')))
                digits++;
        }
        _at = digits;
        Integer(start, BigInteger.Parse(source[start..digits].Replace("_", "", StringComparison.Ordinal), CultureInfo.InvariantCulture));
        return true;
    }

    private int Digits(int at)
    {
        var start = at;
        while (at < source.Length && (char.IsAsciiDigit(source[at])
            || (source[at] == '_' && at > start && at + 1 < source.Length && char.IsAsciiDigit(source[at + 1]))))
            at++;
        return at;
    }

    private bool Based(int start)
    {
        var radix = start + 1 < source.Length ? char.ToLowerInvariant(source[start + 1]) switch { 'x' => 16, 'o' => 8, 'b' => 2, _ => 0 } : 0;
        if (radix == 0)
            return false;
        BigInteger value = 0;
        var at = start + 2;
        var any = false;
        for (; at < source.Length; at++)
        {
            if (source[at] == '_' && at + 1 < source.Length && PyNumber.Digit(source[at + 1]) < radix)
                continue;
            var digit = PyNumber.Digit(source[at]);
            if (digit >= radix)
                break;
            value = (value * radix) + digit;
            any = true;
            if (at - start > 20_000)
                throw PyError.Syntax("integer literal too long", start);
        }
        if (!any)
            return false;
        _at = at;
        Integer(start, value);
        return true;
    }

    private void Integer(int start, BigInteger value)
    {
        if (_at - start > 20_000)
            throw PyError.Syntax("integer literal too long", start);
        _tokens.Add(new(T.Integer, source[start.._at], PyNumber.Int(value), start));
    }

    private void String(char quote)
    {
        var start = _at;
        var at = start + 1;
        while (at < source.Length && source[at] != quote)
            at += source[at] == '\\' ? 2 : 1;
        if (at >= source.Length)
            throw PyError.Syntax($"unexpected char {PyRepr.Quote(source[start].ToString())} at {Counted(start)}", start);
        _at = at + 1;
        _tokens.Add(new(T.String, "", Escapes.Decode(source[(start + 1)..at], start), start));
    }

    private void Operator(Stack<char> open)
    {
        foreach (var op in Operators3To1)
        {
            if (!Is(_at, op))
                continue;
            switch (op[0])
            {
                case '{': open.Push('}'); break;
                case '(': open.Push(')'); break;
                case '[': open.Push(']'); break;
                case '}' or ')' or ']':
                    if (open.Count == 0)
                        throw PyError.Syntax($"unexpected '{op}'", _at);
                    var expected = open.Pop();
                    if (expected != op[0])
                        throw PyError.Syntax($"unexpected '{op}', expected '{expected}'", _at);
                    break;
            }
            _tokens.Add(new(T.Operator, op, null, _at));
            _at += op.Length;
            return;
        }
        throw PyError.Syntax($"unexpected char {PyRepr.Quote(Rune.TryGetRuneAt(source, _at, out var rune) ? rune.ToString() : source[_at].ToString())} at {Counted(_at)}", _at);
    }
}
