using System.Text;

namespace Attune.Core.Tokens.Patterns;

/// <summary>
/// Runs a pattern by backtracking on a stack of its own, over code points. It counts its steps: a pattern that would
/// run for ever on some text is an error, not a hang.
/// </summary>
internal sealed class PatternMatcher(PatternProgram program, long budget)
{
    private const int MostWaiting = 4_000_000;
    private readonly int[] _marks = new int[program.Marks];
    private readonly List<Waiting> _stack = [];
    private readonly Dictionary<PatternProgram, PatternMatcher> _parts = [];
    private long _budget = budget;

    /// <summary>Where the match that begins at <paramref name="start"/> ends, or -1.</summary>
    public int Match(ReadOnlySpan<char> text, int start)
    {
        var code = program.Code;
        _stack.Clear();
        var (pc, at) = (0, start);
        while (true)
        {
            if (--_budget < 0 || _stack.Count > MostWaiting)
                throw TokenException.Regex("The pattern takes too many steps on this text.");
            var step = code[pc];
            var goOn = true;
            switch (step.Op)
            {
                case Op.Done:
                    return at;
                case Op.Set:
                    goOn = at < text.Length && step.Set!.Contains(CodePoint(text, at, out var length)) && (at += length) > 0;
                    pc++;
                    break;
                case Op.Greedy:
                case Op.Possessive:
                    var (least, most) = Run(text, at, step);
                    goOn = most >= 0;
                    if (goOn && step.Op == Op.Greedy && most > least)
                        _stack.Add(new Waiting(pc + 1, least, most, null, -1));
                    (pc, at) = (pc + 1, most);
                    break;
                case Op.Lazy:
                    goOn = Take(text, ref at, step.Set!, step.X);
                    if (goOn && step.Y > step.X)
                        _stack.Add(new Waiting(pc + 1, at, step.Y - step.X, step.Set, -1));
                    pc++;
                    break;
                case Op.Split:
                    _stack.Add(new Waiting(step.Y, at, at, null, -1));
                    pc = step.X;
                    break;
                case Op.Jump:
                    pc = step.X;
                    break;
                case Op.Mark:
                    _stack.Add(new Waiting(-1, _marks[step.X], 0, null, step.X));
                    _marks[step.X] = at;
                    pc++;
                    break;
                case Op.Moved:
                    goOn = at != _marks[step.X];
                    pc++;
                    break;
                case Op.Ahead:
                    goOn = Sub(step.Part!).Match(text, at) >= 0 == (step.X == 1);
                    pc++;
                    break;
                case Op.Behind:
                    var back = Back(text, at, step.Y);
                    goOn = (back >= 0 && Sub(step.Part!).Match(text, back) == at) == (step.X == 1);
                    pc++;
                    break;
                case Op.Atomic:
                    at = Sub(step.Part!).Match(text, at);
                    goOn = at >= 0;
                    pc++;
                    break;
                default:
                    goOn = IsAt(step, text, at);
                    pc++;
                    break;
            }
            if (!goOn && !Resume(text, ref pc, ref at))
                return -1;
        }
    }

    /// <summary>Back to the last choice that has another way.</summary>
    private bool Resume(ReadOnlySpan<char> text, ref int pc, ref int at)
    {
        while (_stack.Count > 0)
        {
            var last = _stack[^1];
            _stack.RemoveAt(_stack.Count - 1);
            if (last.Mark >= 0)
            {
                _marks[last.Mark] = last.Low;
                continue;
            }
            if (last.Set is not null)
            {
                // A lazy run takes one more.
                at = last.Low;
                if (!Take(text, ref at, last.Set, 1))
                    continue;
                if (last.High > 1)
                    _stack.Add(last with { Low = at, High = last.High == int.MaxValue ? int.MaxValue : last.High - 1 });
            }
            else if (last.High > last.Low)
            {
                // A greedy run gives one back.
                at = Back(text, last.High, 1);
                if (at > last.Low)
                    _stack.Add(last with { High = at });
            }
            else
            {
                at = last.Low;
            }
            pc = last.Pc;
            return true;
        }
        return false;
    }

    private (int Least, int Most) Run(ReadOnlySpan<char> text, int at, Step step)
    {
        if (!Take(text, ref at, step.Set!, step.X))
            return (-1, -1);
        var least = at;
        for (var n = step.X; n < step.Y && at < text.Length && step.Set!.Contains(CodePoint(text, at, out var length)); n++)
        {
            at += length;
            _budget--;
        }
        return (least, at);
    }

    private static bool Take(ReadOnlySpan<char> text, ref int at, CharSet set, int count)
    {
        for (var n = 0; n < count; n++)
        {
            if (at >= text.Length || !set.Contains(CodePoint(text, at, out var length)))
                return false;
            at += length;
        }
        return true;
    }

    private PatternMatcher Sub(PatternProgram part)
    {
        if (!_parts.TryGetValue(part, out var matcher))
            _parts[part] = matcher = new PatternMatcher(part, _budget);
        return matcher;
    }

    private static bool IsAt(Step step, ReadOnlySpan<char> text, int at) => step.Op switch
    {
        Op.TextStart => at == 0,
        Op.TextEnd => at == text.Length,
        Op.TextEndOrLast => at == text.Length || (at == text.Length - 1 && text[at] == '\n'),
        Op.LineStart => at == 0 || (text[at - 1] == '\n' && at < text.Length),
        Op.LineEnd => at == text.Length || text[at] == '\n',
        _ => (IsWord(text, Back(text, at, 1)) != IsWord(text, at)) == (step.X == 1),
    };

    private static bool IsWord(ReadOnlySpan<char> text, int at) =>
        at >= 0 && at < text.Length && CharSet.Word.Contains(CodePoint(text, at, out _));

    private static int Back(ReadOnlySpan<char> text, int at, int count)
    {
        for (; count > 0; count--)
        {
            if (at <= 0)
                return -1;
            at -= at > 1 && char.IsLowSurrogate(text[at - 1]) && char.IsHighSurrogate(text[at - 2]) ? 2 : 1;
        }
        return at;
    }

    private static int CodePoint(ReadOnlySpan<char> text, int at, out int length)
    {
        var c = text[at];
        if (char.IsHighSurrogate(c) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]))
        {
            length = 2;
            return char.ConvertToUtf32(c, text[at + 1]);
        }
        length = 1;
        return char.IsSurrogate(c) ? Rune.ReplacementChar.Value : c;
    }

    private readonly record struct Waiting(int Pc, int Low, int High, CharSet? Set, int Mark);
}
