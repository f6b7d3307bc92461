namespace Attune.Core.Tokens;

/// <summary>
/// Text that may have been changed, and for each code unit of it the range of the original that it came from, kept by
/// the reference's rules so that offsets come out the same.
/// </summary>
internal sealed class AlignedText
{
    private readonly int[]? _starts;
    private readonly int[]? _ends;

    // So many code units were put before a text that is otherwise as it was: the common case needs no lists of places.
    private readonly int _prefix;

    /// <summary>The text as it was, which begins at <paramref name="origin"/> of the original.</summary>
    public AlignedText(string text, int origin) => (Text, Origin) = (text, origin);

    private AlignedText(string text, int origin, int[] starts, int[] ends)
        : this(text, origin) => (_starts, _ends) = (starts, ends);

    private AlignedText(string text, int origin, int prefix)
        : this(text, origin) => _prefix = prefix;

    public string Text { get; }

    /// <summary>Where the original of this text begins, in code units.</summary>
    public int Origin { get; }

    /// <summary>Nothing was changed: positions are those of the original, from <see cref="Origin"/> on.</summary>
    public bool IsOriginal => _starts is null && _prefix == 0;

    /// <summary>The range of the original that [start, end), not empty, came from.</summary>
    public (int Start, int End) Range(int start, int end)
    {
        if (start >= end)
            return start < Text.Length ? (StartOf(start), StartOf(start)) : (Origin, Origin);
        return _starts is not null ? (_starts[start], _ends![end - 1])
            : _prefix == 0 ? (Origin + start, Origin + end)
            : (StartOf(start), EndOf(end - 1));
    }

    public int StartOf(int at) => _starts is not null ? _starts[at] : Origin + (at < _prefix ? 0 : CharStart(at) - _prefix);

    public int EndOf(int at) => _ends is not null ? _ends[at] : Origin + CharEnd(Math.Max(at, _prefix)) - _prefix;

    /// <summary>Same length, same places, other characters, none of them a surrogate where none was.</summary>
    public AlignedText With(string text) => _starts is null ? new(text, Origin, _prefix) : new(text, Origin, _starts, _ends!);

    /// <summary>The text with another before it, which came from its first character; not for an empty text.</summary>
    public AlignedText After(string prefix)
    {
        if (IsOriginal)
            return new(prefix + Text, Origin, prefix.Length);
        var builder = new Builder(this, Text.Length + prefix.Length);
        builder.Add(prefix, StartOf(0), EndOf(0));
        builder.Copy(0, Text.Length);
        return builder.Build();
    }

    // A surrogate came from its whole pair.
    private int CharStart(int at) => at > _prefix && char.IsLowSurrogate(Text[at]) && char.IsHighSurrogate(Text[at - 1]) ? at - 1 : at;

    private int CharEnd(int at) => at + 1 < Text.Length && char.IsHighSurrogate(Text[at]) && char.IsLowSurrogate(Text[at + 1]) ? at + 2 : at + 1;

    /// <summary>Puts a changed text together.</summary>
    public sealed class Builder(AlignedText source, int capacity)
    {
        private char[] _text = new char[capacity];
        private int[] _starts = new int[capacity];
        private int[] _ends = new int[capacity];

        public int Length { get; private set; }

        /// <summary>A code unit that came from [start, end) of the original.</summary>
        public void Add(char unit, int start, int end)
        {
            if (Length == _text.Length)
            {
                var size = Math.Max(16, Length * 2);
                Array.Resize(ref _text, size);
                Array.Resize(ref _starts, size);
                Array.Resize(ref _ends, size);
            }
            (_text[Length], _starts[Length], _ends[Length++]) = (unit, start, end);
        }

        /// <summary>A text all of which came from [start, end) of the original.</summary>
        public void Add(ReadOnlySpan<char> text, int start, int end)
        {
            foreach (var unit in text)
                Add(unit, start, end);
        }

        /// <summary>A stretch of the source as it is.</summary>
        public void Copy(int start, int end)
        {
            for (var at = start; at < end; at++)
                Add(source.Text[at], source.StartOf(at), source.EndOf(at));
        }

        /// <summary>A text put in at <paramref name="at"/> of the source: it came from what stands before.</summary>
        public void Insert(ReadOnlySpan<char> text, int at)
        {
            var (start, end) = at > 0 ? (source.StartOf(at - 1), source.EndOf(at - 1)) : (source.Origin, source.Origin);
            Add(text, start, end);
        }

        public AlignedText Build() =>
            new(new string(_text, 0, Length), source.Origin, _starts.AsSpan(0, Length).ToArray(), _ends.AsSpan(0, Length).ToArray());
    }
}

/// <summary>
/// The reference's way to say how a text changes: characters in their new order, each with 0 where it takes the place
/// of the next old one, 1 where it is new, and −n where it also swallows the n old ones after it.
/// </summary>
internal sealed class Changes
{
    private readonly List<(int CodePoint, int Change)> _list = [];

    public int Count => _list.Count;

    public bool Any { get; private set; }

    public void Keep(int codePoint) => _list.Add((codePoint, 0));

    public void Add(int codePoint, int change)
    {
        Any = true;
        _list.Add((codePoint, change));
    }

    /// <summary>The old character is gone: whatever stands before swallows it.</summary>
    public void Drop(ref int dropsAtStart)
    {
        Any = true;
        if (_list.Count == 0)
            dropsAtStart++;
        else
            _list[^1] = (_list[^1].CodePoint, _list[^1].Change - 1);
    }

    /// <summary>Several old characters become a text: as many as it has take their places, the rest are new or swallowed.</summary>
    public void Replace(int oldCount, string text)
    {
        Any = true;
        var runes = text.EnumerateRunes().Select(r => r.Value).ToArray();
        var extra = runes.Length - oldCount;
        for (var i = 0; i < runes.Length; i++)
            _list.Add((runes[i], i >= runes.Length - extra ? 1 : 0));
        if (extra < 0 && _list.Count > 0)
            _list[^1] = (_list[^1].CodePoint, _list[^1].Change + extra);
    }

    public AlignedText Apply(AlignedText source, int dropsAtStart = 0)
    {
        var text = source.Text;
        var builder = new AlignedText.Builder(source, text.Length + 8);
        var at = 0;
        Span<char> units = stackalloc char[2];
        for (; dropsAtStart > 0; dropsAtStart--)
            at = After(text, at);
        foreach (var (codePoint, change) in _list)
        {
            var written = units[..new System.Text.Rune(codePoint).EncodeToUtf16(units)];
            if (change > 0 || at >= text.Length)
            {
                builder.Insert(written, at);
                continue;
            }
            builder.Add(written, source.StartOf(at), source.EndOf(at));
            for (var n = change; n <= 0 && at < text.Length; n++)
                at = After(text, at);
        }
        return builder.Build();
    }

    private static int After(string text, int at) =>
        at >= text.Length ? at : char.IsHighSurrogate(text[at]) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]) ? at + 2 : at + 1;
}
