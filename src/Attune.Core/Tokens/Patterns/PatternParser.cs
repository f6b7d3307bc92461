using System.Globalization;
using System.Text;

namespace Attune.Core.Tokens.Patterns;

/// <summary>
/// Reads a regular expression in Oniguruma's Ruby syntax, as far as tokenizers use it: no captures that are referred
/// back to, no conditionals, no recursion; those are typed errors.
/// </summary>
internal sealed partial class PatternParser(string expression, string? field)
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
