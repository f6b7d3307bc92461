namespace Attune.Prompts;

/// <summary>Who brought a piece of text.</summary>
public enum SourceKind
{
    /// <summary>The template, or a special token that it printed.</summary>
    Template,

    /// <summary>A message of the conversation.</summary>
    Message,

    /// <summary>A tool's schema.</summary>
    Tools,

    /// <summary>A retrieved document.</summary>
    Documents,

    /// <summary>An extra template variable.</summary>
    Variable,
}

/// <summary>Where a token or a stretch of text came from.</summary>
/// <param name="Kind">Who brought it.</param>
/// <param name="Message">Index of the message, or -1.</param>
/// <param name="Field">Path of the field, as <c>content</c> or <c>tool_calls[0].function.name</c>; null for the template.</param>
public readonly record struct TokenSource(SourceKind Kind, int Message, string? Field)
{
    /// <summary>Text of the template itself.</summary>
    public static TokenSource Template { get; } = new(SourceKind.Template, -1, null);
}

/// <summary>A stretch of the render with one source.</summary>
/// <param name="Span">UTF-16 code units of the render.</param>
/// <param name="Source">Who brought it.</param>
/// <param name="Trusted">May hold control tokens.</param>
public readonly record struct TextRun(TextSpan Span, TokenSource Source, bool Trusted);

/// <summary>A rendered conversation: the text, what of it the assistant is to learn, and where every part came from.</summary>
public sealed class TemplateRender
{
    internal TemplateRender(string text, IReadOnlyList<TextSpan> generationSpans, Jinja.Run[] runs)
    {
        Text = text;
        GenerationSpans = generationSpans;
        _runs = runs;
    }

    private readonly Jinja.Run[] _runs;

    /// <summary>The render.</summary>
    public string Text { get; }

    /// <summary>What the template's generation blocks rendered, in order, in UTF-16 code units.</summary>
    public IReadOnlyList<TextSpan> GenerationSpans { get; }

    /// <summary>The whole text in stretches of one source.</summary>
    public IReadOnlyList<TextRun> Runs => _all ??= MakeRuns();

    private TextRun[]? _all;

    private TextRun[] MakeRuns()
    {
        var runs = new TextRun[_runs.Length];
        var start = 0;
        for (var i = 0; i < runs.Length; i++)
        {
            var origin = _runs[i].Origin;
            runs[i] = new(new TextSpan(start, _runs[i].End - start), origin?.Source ?? TokenSource.Template, origin is null or { Trusted: true });
            start = _runs[i].End;
        }
        return runs;
    }

    /// <summary>Sorted, disjoint spans in which control tokens must not be matched.</summary>
    public IReadOnlyList<TextSpan> UntrustedSpans()
    {
        var spans = new List<TextSpan>();
        foreach (var run in Runs)
        {
            if (run.Trusted)
                continue;
            if (spans.Count > 0 && spans[^1].End == run.Span.Start)
                spans[^1] = new TextSpan(spans[^1].Start, run.Span.End - spans[^1].Start);
            else
                spans.Add(run.Span);
        }
        return spans;
    }
}
