namespace Attune.Prompts.Jinja;

internal sealed class Macro(string name, string[] args, Expr[] defaults, Stmt[] body, int pos) : Stmt(pos)
{
    public readonly string Id = name;
    public readonly string[] Args = args;
    public readonly Expr[] Defaults = defaults;
    public readonly Stmt[] Body = body;

    /// <summary>The body of a call block, which goes by the name of caller.</summary>
    public bool IsCaller;

    public readonly Name Target = new(name, pos);
    public Function? Function;
    public int[] ArgSlots = [];
    public int CallerSlot = -1;
    public int KwargsSlot = -1;
    public int VarargsSlot = -1;
    public SlotLoad[] Loads = [];

    /// <summary>Takes its own parameters and nothing else.</summary>
    public bool IsSimple => _distinct && CallerSlot < 0 && KwargsSlot < 0 && VarargsSlot < 0;

    private readonly bool _distinct = args.Distinct(StringComparer.Ordinal).Count() == args.Length;

    public override Flow Run(Frame f)
    {
        Target.Store(f, new MacroValue(this, f));
        return Flow.Normal;
    }
}

internal sealed class CallBlock(Call call, Macro caller, int pos) : Stmt(pos)
{
    public readonly Call Call = call;
    public readonly Macro Caller = caller;

    public override Flow Run(Frame f)
    {
        var value = Call.With(f, new MacroValue(Caller, f));
        f.Out.AppendRaw(value);
        return Flow.Normal;
    }
}

/// <summary>
/// What the assistant said: text that a model must learn. In the render itself it is a span; inside a macro or a
/// captured block its characters are marked, and become a span where they are printed.
/// </summary>
internal sealed class Generation(Stmt[] body, int pos) : Stmt(pos)
{
    public readonly Stmt[] Body = body;
    public SlotLoad[] Loads = [];

    public override Flow Run(Frame f)
    {
        SlotLoad.All(Loads, f);
        var start = f.Out.Length;
        RunAll(Body, f);
        if (ReferenceEquals(f.Out, f.State.Root))
            f.State.Spans.Add(new TextSpan(start, f.Out.Length - start));
        else
            f.Out.MarkGenerated(start);
        return Flow.Normal;
    }
}

/// <summary>A block of template inheritance, which without inheritance is its own body, seeing top-level names only.</summary>
internal sealed class Block(string name, Stmt[] body, int pos) : Stmt(pos)
{
    public readonly string Id = name;
    public readonly Stmt[] Body = body;
    public SlotLoad[] Loads = [];

    public override Flow Run(Frame f)
    {
        f.State.Enter();
        var root = f.State.RootFrame;
        var outer = root.Out;
        root.Out = f.Out;
        SlotLoad.All(Loads, root);
        RunAll(Body, root);
        root.Out = outer;
        f.State.Leave();
        return Flow.Normal;
    }
}
