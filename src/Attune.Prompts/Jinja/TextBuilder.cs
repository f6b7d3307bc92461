using System.Runtime.CompilerServices;

namespace Attune.Prompts.Jinja;

/// <summary>Text under construction with the origin of every part; neighbours of one origin are one run.</summary>
internal sealed class TextBuilder(int capacity = 64)
{
    private char[] _chars = new char[capacity];
    private Run[] _runs = new Run[8];
    private int _length;
    private int _count;
    private int _limit = int.MaxValue;
    private string? _notText;

    public int Length => _length;

    public int RunCount => _count;

    public int Capacity => _chars.Length;

    public ReadOnlySpan<char> Chars => _chars.AsSpan(0, _length);

    /// <summary>Beyond this many code units, <see cref="PyError"/>.</summary>
    public TextBuilder Limited(int limit)
    {
        _limit = limit;
        return this;
    }

    public void Clear()
    {
        _runs.AsSpan(0, _count).Clear();
        _length = 0;
        _count = 0;
        LastGenerated = false;
        _notText = null;
    }

    public void Append(string text, Origin? origin = null)
    {
        if (text.Length == 0)
            return;
        if (text.Length > _chars.Length - _length)
            Grow(text.Length);
        text.CopyTo(_chars.AsSpan(_length));
        _length += text.Length;
        Extend(_length, origin);
    }

    public void Append(ReadOnlySpan<char> text, Origin? origin)
    {
        if (text.Length == 0)
            return;
        if (text.Length > _chars.Length - _length)
            Grow(text.Length);
        text.CopyTo(_chars.AsSpan(_length));
        _length += text.Length;
        Extend(_length, origin);
    }

    public void Append(char c, Origin? origin)
    {
        if (_length == _chars.Length)
            Grow(1);
        _chars[_length++] = c;
        Extend(_length, origin);
    }

    public void Append(PyStr text)
    {
        if (text.Runs is null)
        {
            Append(text.Text, text.Origin);
            return;
        }
        var start = 0;
        foreach (var run in text.Runs)
        {
            Append(text.Text.AsSpan(start, run.End - start), run.Origin);
            start = run.End;
        }
    }

    /// <summary>A range of another string, in code units.</summary>
    public void Append(PyStr text, int start, int length)
    {
        if (text.Runs is null)
            Append(text.Text.AsSpan(start, length), text.Origin);
        else
            Append(text.Range(start, length));
    }

    /// <summary>Marks everything from an offset as generated.</summary>
    public void MarkGenerated(int from)
    {
        if (from == _length)
            return;
        var runs = Runs();
        var (length, start) = (_length, 0);
        _count = 0;
        foreach (var run in runs)
        {
            if (run.End <= from || start >= from)
            {
                Extend(run.End, start >= from ? Origin.AsGenerated(run.Origin) : run.Origin);
            }
            else
            {
                Extend(from, run.Origin);
                Extend(run.End, Origin.AsGenerated(run.Origin));
            }
            start = run.End;
        }
        _length = length;
    }

    /// <summary>The text, or some of it, was made inside a generation block of a macro.</summary>
    public bool LastGenerated { get; private set; }

    /// <summary>Adds the generated stretches from an offset on as spans.</summary>
    public void AddSpans(int from, List<TextSpan> spans)
    {
        var start = 0;
        foreach (var run in _runs.AsSpan(0, _count))
        {
            var first = Math.Max(start, from);
            start = run.End;
            if (run.End <= from || run.Origin is not { Generated: true })
                continue;
            if (spans.Count > 0 && spans[^1].End == first && first > from)
                spans[^1] = new TextSpan(spans[^1].Start, run.End - spans[^1].Start);
            else
                spans.Add(new TextSpan(first, run.End - first));
        }
    }

    /// <summary>Where the text ends now, for <see cref="Since"/> and <see cref="Rewind"/>.</summary>
    public TextMark Mark() => new(_length, _count);

    /// <summary>What was appended after a mark.</summary>
    public PyStr Since(TextMark mark)
    {
        var runs = new List<Run>();
        for (var i = Math.Max(mark.Runs - 1, 0); i < _count; i++)
        {
            if (_runs[i].End > mark.Length)
                runs.Add(new Run(_runs[i].End - mark.Length, _runs[i].Origin));
        }
        return new PyStr(_chars.AsSpan(mark.Length, _length - mark.Length).ToString(), [.. runs], markup: false);
    }

    /// <summary>Takes back what was appended after a mark.</summary>
    public void Rewind(TextMark mark)
    {
        _runs.AsSpan(mark.Runs, _count - mark.Runs).Clear();
        _length = mark.Length;
        _count = mark.Runs;
        if (_count > 0)
            _runs[_count - 1].End = _length;
    }

    public Run[] Runs() => _runs.AsSpan(0, _count).ToArray();

    public PyStr ToPyStr(bool markup = false)
    {
        RequireText();
        return _length == 0
            ? markup ? new PyStr("", origin: null, markup: true) : PyStr.Empty
            : _count == 1 ? new PyStr(Chars.ToString(), _runs[0].Origin, markup) : new PyStr(Chars.ToString(), Runs(), markup);
    }

    /// <summary>What a filter block or a call block gave: a value that is no text fails where the parts are joined, at the end.</summary>
    public void AppendRaw(object? value)
    {
        if (value is PyStr text)
            Append(text);
        else
            _notText ??= Py.TypeName(value);
    }

    /// <summary>Fails where something other than text was appended.</summary>
    public void RequireText()
    {
        if (_notText is not null)
            throw PyError.TypeError($"sequence item 0: expected str instance, {_notText} found");
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Extend(int end, Origin? origin)
    {
        if (_count > 0 && ReferenceEquals(_runs[_count - 1].Origin, origin))
            _runs[_count - 1].End = end;
        else
            AddRun(end, origin);
    }

    private void AddRun(int end, Origin? origin)
    {
        if (_count == _runs.Length)
            Array.Resize(ref _runs, _count * 2);
        _runs[_count++] = new Run(end, origin);
        if (origin is { Generated: true })
            LastGenerated = true;
    }

    private void Grow(int more)
    {
        var needed = (long)_length + more;
        if (needed > _limit)
            throw PyError.Limit($"The text grows beyond {_limit} characters.");
        var size = Math.Max(needed, Math.Min((long)_chars.Length * 2, _limit));
        Array.Resize(ref _chars, (int)Math.Max(size, 64));
    }
}

/// <summary>An end of a text under construction: so many code units, in so many runs.</summary>
internal readonly record struct TextMark(int Length, int Runs);
