namespace Attune.Core.Tokens.Patterns;

/// <summary>A pattern of tokenizer.json: a plain text, or a regular expression as Oniguruma reads it.</summary>
internal sealed class Pattern
{
    private readonly PatternProgram? _program;
    private readonly WordSplit? _split;

    public Pattern(string literal) => Literal = literal;

    public Pattern(string expression, string? field)
    {
        _split = WordSplits.Find(expression);
        if (_split is null)
            _program = PatternCompiler.Compile(expression, field);
    }

    /// <summary>The scanner that finds the same matches, where one is written.</summary>
    public WordSplit? Split => _split;

    /// <summary>The text to look for, where it is one.</summary>
    public string? Literal { get; }

    /// <summary>Matches from left to right that do not overlap, as [start, end) in code units.</summary>
    public List<(int Start, int End)> Matches(ReadOnlySpan<char> text)
    {
        var found = new List<(int, int)>();
        Find(text, found);
        return found;
    }

    /// <summary>Appends the matches.</summary>
    public void Find(ReadOnlySpan<char> text, List<(int Start, int End)> found)
    {
        if (_split is { } split)
        {
            for (var at = 0; at < text.Length;)
            {
                var end = WordSplits.Next(split, text, at);
                found.Add((at, end));
                at = end;
            }
        }
        else if (Literal is not null)
        {
            for (var at = 0; Literal.Length > 0 && text[at..].IndexOf(Literal, StringComparison.Ordinal) is var next and >= 0; at += next + Literal.Length)
                found.Add((at + next, at + next + Literal.Length));
        }
        else
        {
            Run(text, found);
        }
    }

    private void Run(ReadOnlySpan<char> text, List<(int, int)> found)
    {
        var matcher = new PatternMatcher(_program!, 1_000_000 + (500L * text.Length));
        var lastEnd = -1;
        for (var at = 0; at <= text.Length;)
        {
            var end = matcher.Match(text, at);
            // An empty match right after a match is none.
            if (end > at || (end == at && at != lastEnd))
            {
                found.Add((at, end));
                lastEnd = end;
            }
            if (end > at)
                at = end;
            else
                at += at + 1 < text.Length && char.IsHighSurrogate(text[at]) && char.IsLowSurrogate(text[at + 1]) ? 2 : 1;
        }
    }
}

/// <summary>Reads {"String": …} or {"Regex": …}.</summary>
internal static class PatternReader
{
    public static Pattern Read(JsonField field)
    {
        if (field["Regex"].TextOrNull() is { } expression)
        {
            try
            {
                return new Pattern(expression, field["Regex"].Path);
            }
            catch (TokenException e) when (e.File is null && field.File is not null)
            {
                throw new TokenException(e.Code, e.Message, e) { File = field.File, Field = e.Field, Hint = e.Hint };
            }
        }
        return new Pattern(field["String"].Text());
    }
}
