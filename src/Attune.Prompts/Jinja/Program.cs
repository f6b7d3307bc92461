namespace Attune.Prompts.Jinja;

/// <summary>A template ready to run: its tree with every name bound, shared by all renders.</summary>
internal sealed class Program
{
    private readonly Function _function;
    private readonly SlotLoad[] _loads;

    private Program(string source, Stmt[] body, Function function, SlotLoad[] loads, string[] context)
    {
        Source = source;
        Body = body;
        _function = function;
        _loads = loads;
        ContextNames = context;
    }

    /// <summary>The source with its line ends normalised: what positions count in.</summary>
    public string Source { get; }

    public Stmt[] Body { get; }

    /// <summary>The names that the template takes from outside.</summary>
    public string[] ContextNames { get; }

    public int LineOf(int position) => Source.AsSpan(0, Math.Clamp(position, 0, Source.Length)).Count('\n') + 1;

    public int ColumnOf(int position)
    {
        position = Math.Clamp(position, 0, Source.Length);
        return position == 0 ? 1 : position - Source.LastIndexOf('\n', position - 1);
    }

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
        var frame = new Frame(state, _function.Size, null, state.Root);
        state.RootFrame = frame;
        SlotLoad.All(_loads, frame);
        Stmt.RunAll(Body, frame);
        state.Root.RequireText();
    }
}
