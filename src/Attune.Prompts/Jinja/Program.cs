namespace Attune.Prompts.Jinja;

/// <summary>A template ready to run: its tree with every name bound, shared by all renders.</summary>
internal sealed class Program
{
    private readonly SlotLoad[] _loads;

    private Program(string source, Stmt[] body, Function function, SlotLoad[] loads, ContextName[] context)
    {
        Source = source;
        Body = body;
        Slots = function.Size;
        _loads = loads;
        ContextNames = context;
        var (marks, raw) = (false, false);
        Tree.Walk(body, s => (marks, raw) = (marks || s is Generation, raw || s is FilterBlock or CallBlock), _ => { });
        HasGeneration = marks;
        PlainMacros = !marks && !raw;
    }

    /// <summary>The source with its line ends normalised: what positions count in.</summary>
    public string Source { get; }

    public Stmt[] Body { get; }

    /// <summary>How many variables the template itself has.</summary>
    public int Slots { get; }

    /// <summary>The names that the template takes from outside.</summary>
    public ContextName[] ContextNames { get; }

    /// <summary>Some of it is text that a model must learn.</summary>
    public bool HasGeneration { get; }

    /// <summary>
    /// What macros make is plain text, without marks and without values that are no text: it may be written straight to
    /// where it is printed.
    /// </summary>
    public bool PlainMacros { get; }

    public int LineOf(int position) => Source.AsSpan(0, Math.Clamp(position, 0, Source.Length)).Count('\n') + 1;

    public int ColumnOf(int position)
    {
        position = Math.Clamp(position, 0, Source.Length);
        return position == 0 ? 1 : position - Source.LastIndexOf('\n', position - 1);
    }

    /// <summary>The template that renders to nothing.</summary>
    public static Program Empty { get; } = Compile("");

    public static Program Compile(string source)
    {
        var normalised = Lexer.Normalise(source);
        var (body, late) = Parser.Parse(normalised);
        var binder = new Binder();
        var (function, loads) = binder.BindTemplate(body);
        if ((late ?? binder.Late) is { } error)
            throw error;
        return new(normalised, body, function, loads, binder.ContextNames);
    }

    public void Run(RenderState state)
    {
        SlotLoad.All(_loads, state.RootFrame);
        Stmt.RunAll(Body, state.RootFrame);
        state.Root.RequireText();
    }
}

/// <summary>A name that a template takes from outside: the key it has there, and the global that stands in where the caller gives none.</summary>
internal sealed class ContextName(string name)
{
    public readonly PyStr Key = new(name);
    public readonly object? Global = Globals.Table.GetValueOrDefault(name, Frame.Missing);
}
