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

    public override Flow Run(Frame f)
    {
        Target.Store(f, new MacroValue(this, f));
        return Flow.Normal;
    }
}

internal sealed class MacroValue(Macro macro, Frame definition) : ICallable
{
    public string Repr() => macro.IsCaller ? "<Macro anonymous>" : $"<Macro {PyRepr.Quote(macro.Id)}>";

    public bool TryGet(string name, out object? value)
    {
        value = name switch
        {
            "name" => macro.IsCaller ? null : new PyStr(macro.Id),
            "arguments" => new PyTuple([.. macro.Args.Select(a => new PyStr(a))]),
            "catch_kwargs" => Py.Bool(macro.KwargsSlot >= 0),
            "catch_varargs" => Py.Bool(macro.VarargsSlot >= 0),
            "caller" => Py.Bool(macro.CallerSlot >= 0),
            _ => Frame.Missing,
        };
        return !ReferenceEquals(value, Frame.Missing);
    }

    public object? Call(RenderState state, CallArgs args)
    {
        state.Enter();
        var frame = new Frame(state, macro.Function!.Size, definition, state.NewText());
        var count = macro.Args.Length;
        var named = args.Named;
        var used = 0;
        var foundCaller = false;
        for (var i = 0; i < count; i++)
        {
            object? value = Frame.Missing;
            if (i < args.Count)
                value = args[i];
            else if (Array.FindIndex(named, n => n.Key == macro.Args[i]) is var at and >= 0)
                (value, used) = (named[at].Value, used + 1);
            foundCaller |= macro.Args[i] == "caller";
            frame.Slots[macro.ArgSlots[i]] = value;
        }
        var rest = used == 0 ? named : [.. named.Where(n => Array.IndexOf(macro.Args, n.Key) is var at && (at < 0 || at < args.Count))];
        if (macro.CallerSlot >= 0 && !foundCaller)
        {
            frame.Slots[macro.CallerSlot] = new Undefined("No caller defined", "caller");
            foreach (var (name, value) in rest)
            {
                if (name == "caller" && value is not null)
                    frame.Slots[macro.CallerSlot] = value;
            }
            rest = [.. rest.Where(n => n.Key != "caller")];
        }
        if (macro.KwargsSlot >= 0)
            frame.Slots[macro.KwargsSlot] = PyDict.Of(rest);
        else if (rest.Length > 0)
            throw PyError.TypeError(Array.Exists(rest, n => n.Key == "caller")
                ? $"macro {PyRepr.Quote(macro.Id)} was invoked with two values for the special caller argument. This is most likely a bug."
                : $"macro {(macro.IsCaller ? "None" : PyRepr.Quote(macro.Id))} takes no keyword argument {PyRepr.Quote(rest[0].Key)}");
        if (macro.VarargsSlot >= 0)
            frame.Slots[macro.VarargsSlot] = new PyTuple(args.Count > count ? args.Positional[count..] : []);
        else if (args.Count > count)
            throw PyError.TypeError(FormattableString.Invariant($"macro {(macro.IsCaller ? "None" : PyRepr.Quote(macro.Id))} takes not more than {count} argument(s)"));
        Fill(frame);
        state.Leave();
        state.Charge(frame.Out.Length);
        return frame.Out.ToPyStr();
    }

    private void Fill(Frame frame)
    {
        SlotLoad.All(macro.Loads, frame);
        var firstDefault = macro.Args.Length - macro.Defaults.Length;
        for (var i = 0; i < macro.Args.Length; i++)
        {
            ref var slot = ref frame.Slots[macro.ArgSlots[i]];
            if (!ReferenceEquals(slot, Frame.Missing))
                continue;
            slot = i >= firstDefault ? macro.Defaults[i - firstDefault].Eval(frame)
                : new Undefined($"parameter {PyRepr.Quote(macro.Args[i])} was not provided", macro.Args[i]);
        }
        Stmt.RunAll(macro.Body, frame);
    }
}

internal sealed class CallBlock(Call call, Macro caller, int pos) : Stmt(pos)
{
    public readonly Call Call = call;
    public readonly Macro Caller = caller;

    public override Flow Run(Frame f)
    {
        var value = Call.Invoke(f, new MacroValue(Caller, f));
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
        var root = f.State.RootFrame!;
        var outer = root.Out;
        root.Out = f.Out;
        SlotLoad.All(Loads, root);
        RunAll(Body, root);
        root.Out = outer;
        f.State.Leave();
        return Flow.Normal;
    }
}
