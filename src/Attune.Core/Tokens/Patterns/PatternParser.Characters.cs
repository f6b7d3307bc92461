using System.Globalization;
using System.Text;

namespace Attune.Core.Tokens.Patterns;

/// <summary>Which characters one place of the expression takes: literals, escapes, classes, properties.</summary>
internal sealed partial class PatternParser
{
    private PatternNode Escape()
    {
        var c = _at < _text.Length ? _text[_at] : throw Error("a backslash at the end");
        switch (c)
        {
            case 'A':
                _at++;
                return new PatternNode.Place(Op.TextStart);
            case 'z':
                _at++;
                return new PatternNode.Place(Op.TextEnd);
            case 'Z':
                _at++;
                return new PatternNode.Place(Op.TextEndOrLast);
            case 'b' or 'B':
                _at++;
                return new PatternNode.Place(Op.WordEdge, c == 'b' ? 1 : 0);
            case 'R':
                _at++;
                return new PatternNode.Atomic(new PatternNode.Choice(
                [
                    new PatternNode.Sequence([new PatternNode.Chars(CharSet.Of('\r')), new PatternNode.Chars(CharSet.Of('\n'))]),
                    new PatternNode.Chars(new CharSet(r => r is (>= 10 and <= 13) or 0x85 or 0x2028 or 0x2029)),
                ]));
            case (>= '1' and <= '9') or 'k' or 'g' or 'G' or 'K' or 'X':
                throw Error(FormattableString.Invariant($"\\{(char)c}, which is not supported"));
            default:
                return Shorthand() is { } set ? new PatternNode.Chars(Case(set)) : Literal(EscapedCharacter());
        }
    }

    private PatternNode.Chars Literal(int codePoint) => new(Case(CharSet.Of(codePoint)));

    private CharSet Case(CharSet set) => _anyCase ? set.AnyCase() : set;

    /// <summary>\s \d \w \h \p and their opposites, after the backslash; null where it is something else.</summary>
    private CharSet? Shorthand()
    {
        var c = _text[_at];
        var set = c switch
        {
            's' or 'S' => CharSet.Space,
            'd' or 'D' => CharSet.Digit,
            'w' or 'W' => CharSet.Word,
            'h' or 'H' => CharSetNames.Find("xdigit")!,
            _ => null,
        };
        if (set is not null)
        {
            _at++;
            return c < 'a' ? set.Not() : set;
        }
        return c is 'p' or 'P' ? Property() : null;
    }

    private CharSet Property()
    {
        var negated = _text[_at++] == 'P';
        // \pL is two characters in Oniguruma; a property has braces.
        if (!Accept('{'))
            throw Error("\\p without braces");
        if (Accept('^'))
            negated = !negated;
        var name = new StringBuilder();
        while (_at < _text.Length && _text[_at] != '}')
            name.Append(new Rune(_text[_at++]));
        if (!Accept('}'))
            throw Error("a property that never ends");
        var set = CharSetNames.Find(name.ToString()) ?? throw Error($"the property '{name}', which is not known");
        return negated ? set.Not() : set;
    }

    private int EscapedCharacter()
    {
        var c = _text[_at++];
        switch (c)
        {
            case 't': return '\t';
            case 'n': return '\n';
            case 'r': return '\r';
            case 'f': return '\f';
            case 'v': return '\v';
            case 'a': return 7;
            case 'e': return 27;
            case '0': return 0;
            case 'x' when Accept('{'):
                var braced = Hex(8);
                return Accept('}') ? Valid(braced) : throw Error("\\x{ that never ends");
            case 'x':
                return Hex(2);
            case 'u':
                return Valid(Hex(4));
            default:
                return c;
        }
    }

    private int Valid(int value) => Rune.IsValid(value) ? value : throw Error("a number that is no character");

    private int Hex(int most)
    {
        var (value, start) = (0L, _at);
        while (_at < _text.Length && _at - start < most && _text[_at] < 128 && char.IsAsciiHexDigit((char)_text[_at]))
            value = (value << 4) | (uint)int.Parse([(char)_text[_at++]], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        return _at > start ? (int)Math.Min(value, int.MaxValue) : throw Error("a hexadecimal number that is missing");
    }

    private CharSet Class()
    {
        if (++_depth > Deepest)
            throw Error("classes nested too deep");
        var negated = Accept('^');
        var sets = new List<CharSet>();
        CharSet? both = null;
        var first = true;
        for (; ; first = false)
        {
            if (_at >= _text.Length)
                throw Error("a class that never ends");
            if (_text[_at] == ']' && !first)
                break;
            if (_text[_at] == '&' && _at + 1 < _text.Length && _text[_at + 1] == '&')
            {
                _at += 2;
                both = Intersect(both, sets);
                sets.Clear();
                continue;
            }
            sets.Add(ClassItem());
        }
        _at++;
        _depth--;
        var all = Intersect(both, sets);
        return negated ? all.Not() : all;
    }

    private static CharSet Intersect(CharSet? both, List<CharSet> sets)
    {
        var any = sets.Count == 0 ? new CharSet(_ => false) : CharSet.Any([.. sets]);
        return both is null ? any : CharSet.Both(both, any);
    }

    private CharSet ClassItem()
    {
        if (Accept('['))
            return Posix() ?? Class();
        int low;
        if (Accept('\\'))
        {
            if (_at >= _text.Length)
                throw Error("a backslash at the end");
            if (Shorthand() is { } set)
                return set;
            if (_text[_at] == 'b')
            {
                _at++;
                low = '\b';
            }
            else
            {
                low = EscapedCharacter();
            }
        }
        else
        {
            low = _text[_at++];
        }
        if (_at + 1 >= _text.Length || _text[_at] != '-' || _text[_at + 1] is ']' or '[')
            return CharSet.Of(low);
        var back = _at++;
        if (Accept('\\'))
        {
            if (_at < _text.Length && _text[_at] is 's' or 'S' or 'd' or 'D' or 'w' or 'W' or 'h' or 'H' or 'p' or 'P')
            {
                // [a-\d]: the hyphen is itself.
                _at = back;
                return CharSet.Of(low);
            }
            var escaped = _at < _text.Length ? EscapedCharacter() : throw Error("a backslash at the end");
            return Between(low, escaped);
        }
        return Between(low, _text[_at++]);
    }

    private CharSet Between(int low, int high) => low <= high ? CharSet.Range(low, high) : throw Error("a range whose end comes first");

    /// <summary>[:name:] inside a class, after its first bracket.</summary>
    private CharSet? Posix()
    {
        if (_at >= _text.Length || _text[_at] != ':')
            return null;
        var end = _at + 1;
        while (end + 1 < _text.Length && !(_text[end] == ':' && _text[end + 1] == ']'))
            end++;
        if (end + 1 >= _text.Length)
            return null;
        var name = string.Concat(_text[(_at + 1)..end].Select(c => new Rune(c).ToString()));
        var negated = name.StartsWith('^');
        var set = CharSetNames.Find(negated ? name[1..] : name);
        if (set is null)
            return null;
        _at = end + 2;
        return negated ? set.Not() : set;
    }
}
