using System.Globalization;
using System.Text;

namespace Attune.Core.Tokens.Patterns;

/// <summary>
/// Reads a regular expression in Oniguruma's Ruby syntax, as far as tokenizers use it: no captures that are referred
/// back to, no conditionals, no recursion; those are typed errors.
/// </summary>
internal sealed class PatternParser(string expression, string? field)
{
    private const int Deepest = 100;
    private const int MostRepeats = 1000;
    private readonly int[] _text = [.. expression.EnumerateRunes().Select(r => r.Value)];
    private int _at;
    private int _depth;
    private bool _anyCase;
    private bool _dotAll;
    private bool _free;

    public PatternNode Parse()
    {
        var node = Choice();
        return _at == _text.Length ? node : throw Error("an unmatched ')'");
    }

    private PatternNode Choice()
    {
        if (++_depth > Deepest)
            throw Error("groups nested too deep");
        var (anyCase, dotAll, free) = (_anyCase, _dotAll, _free);
        var items = new List<PatternNode> { Sequence() };
        while (Accept('|'))
            items.Add(Sequence());
        // Flags set inside a group end with it.
        (_anyCase, _dotAll, _free) = (anyCase, dotAll, free);
        _depth--;
        return items.Count == 1 ? items[0] : new PatternNode.Choice(items);
    }

    private PatternNode Sequence()
    {
        var items = new List<PatternNode>();
        while (_at < _text.Length && _text[_at] is not ('|' or ')'))
        {
            if (_free && (_text[_at] == '#' || (_text[_at] < 128 && char.IsWhiteSpace((char)_text[_at]))))
            {
                if (_text[_at++] == '#')
                    while (_at < _text.Length && _text[_at] != '\n')
                        _at++;
                continue;
            }
            if (Atom() is { } atom)
                items.Add(Repeats(atom));
        }
        return items.Count == 1 ? items[0] : new PatternNode.Sequence(items);
    }

    private PatternNode Repeats(PatternNode item)
    {
        while (_at < _text.Length)
        {
            var before = _at;
            var (least, most, interval) = (0, int.MaxValue, false);
            if (Accept('*'))
                least = 0;
            else if (Accept('+'))
                least = 1;
            else if (Accept('?'))
                most = 1;
            else if (Interval() is var (low, high))
                (least, most, interval) = (low, high, true);
            else
                break;
            if (item is PatternNode.Look or PatternNode.Place)
                throw Error("a repetition of something without width", before);
            var greed = Accept('?') ? Greed.Lazy : !interval && Accept('+') ? Greed.Possessive : Greed.Greedy;
            item = new PatternNode.Repeat(item, least, most, greed);
        }
        return item;
    }

    /// <summary>{n}, {n,}, {,m} or {n,m}; anything else is a brace like any character.</summary>
    private (int Least, int Most)? Interval()
    {
        var start = _at;
        if (!Accept('{'))
            return null;
        var least = Number();
        int? most = least;
        if (Accept(','))
            most = Number() ?? (least is null ? null : int.MaxValue);
        if (!Accept('}') || (least is null && most is null))
        {
            _at = start;
            return null;
        }
        var low = least ?? 0;
        if (low > MostRepeats || (most > MostRepeats && most != int.MaxValue) || most < low)
            throw Error("a repetition count out of range", start);
        return (low, most!.Value);
    }

    private int? Number()
    {
        var start = _at;
        var value = 0;
        while (_at < _text.Length && _text[_at] is >= '0' and <= '9' && _at - start < 6)
            value = (value * 10) + _text[_at++] - '0';
        return _at == start ? null : value;
    }

    private PatternNode? Atom()
    {
        var c = _text[_at++];
        return c switch
        {
            '(' => Group(),
            '[' => new PatternNode.Chars(Case(Class())),
            '.' => new PatternNode.Chars(_dotAll ? new CharSet(_ => true) : CharSet.Of('\n').Not()),
            '^' => new PatternNode.Place(Op.LineStart),
            '$' => new PatternNode.Place(Op.LineEnd),
            '\\' => Escape(),
            '*' or '+' or '?' => throw Error("a repetition of nothing", _at - 1),
            _ => Literal(c),
        };
    }

    private PatternNode? Group()
    {
        if (!Accept('?'))
            return Closed(Choice());
        if (Accept(':'))
            return Closed(Choice());
        if (Accept('='))
            return Closed(new PatternNode.Look(Choice(), Behind: false, Wanted: true));
        if (Accept('!'))
            return Closed(new PatternNode.Look(Choice(), Behind: false, Wanted: false));
        if (Accept('>'))
            return Closed(new PatternNode.Atomic(Choice()));
        if (Accept('#'))
        {
            while (_at < _text.Length && _text[_at] != ')')
                _at++;
            return Accept(')') ? null : throw Error("a comment that never ends");
        }
        if (Accept('<'))
        {
            if (Accept('='))
                return Closed(new PatternNode.Look(Choice(), Behind: true, Wanted: true));
            if (Accept('!'))
                return Closed(new PatternNode.Look(Choice(), Behind: true, Wanted: false));
            while (_at < _text.Length && _text[_at] != '>')
                _at++;
            return Accept('>') ? Closed(Choice()) : throw Error("a group's name that never ends");
        }
        return Flags();
    }

    private PatternNode? Flags()
    {
        var (anyCase, dotAll, free) = (_anyCase, _dotAll, _free);
        var on = true;
        while (_at < _text.Length && _text[_at] is not (':' or ')'))
        {
            switch (_text[_at++])
            {
                case '-':
                    on = false;
                    break;
                case 'i':
                    _anyCase = on;
                    break;
                case 'm':
                    _dotAll = on;
                    break;
                case 'x':
                    _free = on;
                    break;
                default:
                    throw Error("a kind of group that is not supported", _at - 1);
            }
        }
        if (Accept(')'))
            return Choice();
        if (!Accept(':'))
            throw Error("a group that never ends");
        var inner = Choice();
        (_anyCase, _dotAll, _free) = (anyCase, dotAll, free);
        return Closed(inner);
    }

    private PatternNode Closed(PatternNode node) => Accept(')') ? node : throw Error("a group that never ends");

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

    private bool Accept(int c)
    {
        if (_at >= _text.Length || _text[_at] != c)
            return false;
        _at++;
        return true;
    }

    private TokenException Error(string what, int? at = null) =>
        TokenException.Regex(string.Create(CultureInfo.InvariantCulture, $"The pattern '{(expression.Length > 80 ? expression[..80] + "…" : expression)}' has {what} at {at ?? _at}."), field);
}
