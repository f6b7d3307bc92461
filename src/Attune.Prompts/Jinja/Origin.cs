namespace Attune.Prompts.Jinja;

/// <summary>
/// Where a stretch of text came from. Null stands for the template itself, the only source that is trusted
/// to make control tokens; everything that a caller brought has an origin.
/// </summary>
internal sealed class Origin(SourceKind kind, int message, string? path, bool generated = false, bool trusted = false)
{
    /// <summary>Text of the template that stood inside a generation block of a macro or a captured block.</summary>
    public static readonly Origin GeneratedTemplate = new(SourceKind.Template, -1, null, generated: true, trusted: true);

    /// <summary>Text calculated from what a caller brought, when it no longer shows from which field: a character from its number, a filling.</summary>
    public static readonly Origin Computed = new(SourceKind.Variable, -1, null);

    private Origin? _twin;

    public SourceKind Kind => kind;
    public int Message => message;
    public string? Field => path;

    /// <summary>Rendered inside a generation block: assistant text that a model must learn.</summary>
    public bool Generated => generated;

    public bool Trusted => trusted;

    public TokenSource Source => new(kind, message, path);

    /// <summary>The same origin, marked as generated. A race makes two equal ones, which does no harm.</summary>
    public static Origin AsGenerated(Origin? origin) =>
        origin is null ? GeneratedTemplate
        : origin.Generated ? origin
        : origin._twin ??= new Origin(origin.Kind, origin.Message, origin.Field, generated: true, origin.Trusted);
}

/// <summary>A stretch of text of one origin, up to (not including) the UTF-16 code unit <c>End</c>.</summary>
internal record struct Run(int End, Origin? Origin);
