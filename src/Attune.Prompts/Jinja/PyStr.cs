namespace Attune.Prompts.Jinja;

/// <summary>
/// Python's str, with the origin of every character. Nearly every string has one origin; only what a template
/// put together from several carries a list of runs. Offsets are UTF-16 code units; Python's are code points,
/// which <see cref="Length"/> and <see cref="PySlice"/> convert where the text has surrogate pairs.
/// </summary>
internal sealed class PyStr
{
    public static readonly PyStr Empty = new("");

    private int _codePoints = -1;
    private int _hash;

    public PyStr(string text, Origin? origin = null, bool markup = false)
    {
        Text = text;
        Origin = origin;
        Markup = markup;
    }

    public PyStr(string text, Run[] runs, bool markup)
    {
        Text = text;
        Markup = markup;
        if (runs.Length == 1)
            Origin = runs[0].Origin;
        else if (runs.Length > 1)
            Runs = runs;
    }

    public string Text { get; }

    /// <summary>The one origin; meaningless where <see cref="Runs"/> is set.</summary>
    public Origin? Origin { get; }

    public Run[]? Runs { get; }

    /// <summary>Python's Markup: safe HTML, which escapes what is joined to it.</summary>
    public bool Markup { get; }

    /// <summary>Length in code points.</summary>
    public int Length => _codePoints >= 0 ? _codePoints : _codePoints = CodePoints.Count(Text);

    /// <summary>Of the text; 0 stands for not known yet.</summary>
    public int Hash => _hash != 0 ? _hash : HashText();

    private int HashText() => _hash = Text.GetHashCode(StringComparison.Ordinal) is var hash and not 0 ? hash : 1;

    public bool HasPairs => Length != Text.Length;

    public override string ToString() => Text;

    public PyStr WithMarkup(bool markup) => markup == Markup ? this
        : Runs is null ? new PyStr(Text, Origin, markup) : new PyStr(Text, Runs, markup);

    /// <summary>Who brought the string, as far as one can say: what quotes around it are.</summary>
    public Origin? OriginOfStart => Runs is null ? Origin : Runs[0].Origin;

    /// <summary>Whether a caller brought any of it.</summary>
    public bool FromCaller => Runs is null ? Origin is { Trusted: false } : Array.Exists(Runs, r => r.Origin is { Trusted: false });

    /// <summary>The origin of the code unit at an offset.</summary>
    public Origin? OriginAt(int offset)
    {
        if (Runs is null)
            return Origin;
        foreach (var run in Runs)
        {
            if (offset < run.End)
                return run.Origin;
        }
        return Runs[^1].Origin;
    }

    /// <summary>A range of code units, with its origins.</summary>
    public PyStr Range(int start, int length)
    {
        if (length <= 0)
            return Markup ? new PyStr("", origin: null, markup: true) : Empty;
        if (length == Text.Length)
            return this;
        var text = Text.Substring(start, length);
        if (Runs is null)
            return new PyStr(text, Origin, Markup);
        var runs = new List<Run>();
        foreach (var run in Runs)
        {
            if (run.End <= start)
                continue;
            runs.Add(new Run(Math.Min(run.End - start, length), run.Origin));
            if (run.End >= start + length)
                break;
        }
        return new PyStr(text, [.. runs], Markup);
    }

    public PyStr From(int start) => Range(start, Text.Length - start);

    /// <summary>The code unit offset of a code point index.</summary>
    public int Offset(int codePoint) => HasPairs ? CodePoints.Offset(Text, codePoint) : codePoint;

    /// <summary>The code point index of a code unit offset.</summary>
    public int Index(int offset) => HasPairs ? CodePoints.Count(Text.AsSpan(0, offset)) : offset;

    /// <summary>One code point.</summary>
    public PyStr At(int codePoint)
    {
        var start = Offset(codePoint);
        return Range(start, char.IsHighSurrogate(Text[start]) && start + 1 < Text.Length ? 2 : 1);
    }

    /// <summary>Python's <c>s[start:stop:step]</c> of normalised bounds.</summary>
    public PyStr PySlice(int start, int stop, int step)
    {
        if (step == 1)
        {
            var from = Offset(start);
            return Range(from, Offset(Math.Max(start, stop)) - from);
        }
        var builder = new TextBuilder();
        for (var i = start; step > 0 ? i < stop : i > stop; i += step)
            builder.Append(At(i));
        return builder.ToPyStr(Markup);
    }
}
