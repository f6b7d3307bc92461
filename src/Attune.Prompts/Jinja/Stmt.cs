namespace Attune.Prompts.Jinja;

/// <summary>How a statement ended.</summary>
internal enum Flow
{
    Normal,
    Break,
    Continue,
}

/// <summary>A node of a template's body: it runs in a frame and writes to the frame's output.</summary>
internal abstract class Stmt(int pos)
{
    public readonly int Pos = pos;

    public abstract Flow Run(Frame f);

    public static Flow RunAll(Stmt[] body, Frame f)
    {
        var state = f.State;
        foreach (var statement in body)
        {
            state.Step();
            var flow = statement.Run(f);
            if (flow != Flow.Normal)
                return flow;
        }
        return Flow.Normal;
    }

    /// <summary>Runs a body into a text of its own.</summary>
    protected static PyStr Capture(Stmt[] body, Frame f)
    {
        var outer = f.Out;
        f.Out = f.State.NewText();
        RunAll(body, f);
        var text = f.Out;
        f.Out = outer;
        f.State.Charge(text.Length);
        return f.State.Finish(text);
    }
}

/// <summary>Template text and printed expressions in a row.</summary>
internal sealed class Output(Expr[] parts, int pos) : Stmt(pos)
{
    public readonly Expr[] Parts = parts;

    /// <summary>The parts with neighbouring literals made one: what is written where nothing is escaped.</summary>
    private readonly Expr[] _joined = Joined(parts);

    public override Flow Run(Frame f)
    {
        var state = f.State;
        if (state.Autoescape)
            return Escaped(f);
        var spans = state.Program.HasGeneration && ReferenceEquals(f.Out, state.Root);
        foreach (var part in _joined)
        {
            state.Position = part.Pos;
            if (spans)
                EmitRoot(part, f);
            else
                part.Emit(f, f.Out);
        }
        return Flow.Normal;
    }

    private Flow Escaped(Frame f)
    {
        foreach (var part in Parts)
        {
            f.State.Position = part.Pos;
            if (part is Const { IsData: true, Value: PyStr text })
                f.Out.Append(text);
            else
                f.Out.Append(Html.EscapeValue(f.State, part.Eval(f)));
        }
        return Flow.Normal;
    }

    private static Expr[] Joined(Expr[] parts)
    {
        var joined = new List<Expr>();
        foreach (var part in parts)
        {
            if (part is Const { Value: PyStr text } && joined is [.., Const { Value: PyStr before } last])
                joined[^1] = new Const(new PyStr(before.Text + text.Text), last.Pos);
            else
                joined.Add(part);
        }
        return [.. joined];
    }

    /// <summary>Into the render itself: text that a macro made inside a generation block becomes a span here.</summary>
    private static void EmitRoot(Expr part, Frame f)
    {
        var start = f.Out.Length;
        part.Emit(f, f.Out);
        if (f.Out.Length > start && f.Out.LastGenerated)
            f.Out.AddSpans(start, f.State.Spans);
    }
}

internal sealed class If((Expr Test, Stmt[] Body)[] branches, Stmt[] other, int pos) : Stmt(pos)
{
    public readonly (Expr Test, Stmt[] Body)[] Branches = branches;
    public readonly Stmt[] Other = other;

    public override Flow Run(Frame f)
    {
        foreach (var (test, body) in Branches)
        {
            f.State.Position = test.Pos;
            if (test.Truth(f))
                return RunAll(body, f);
        }
        return RunAll(Other, f);
    }
}

internal sealed class Set(Expr target, Expr value, int pos) : Stmt(pos)
{
    public readonly Expr Target = target;
    public readonly Expr Value = value;

    private readonly NsRef[] _namespaces = [.. NamespacesOf(target)];
    private readonly Name? _variable = target as Name;

    public override Flow Run(Frame f)
    {
        if (_variable is not null)
        {
            f.State.Position = Pos;
            _variable.Store(f, Value.Eval(f));
            return Flow.Normal;
        }
        foreach (var name in _namespaces)
            name.Check(f);
        f.State.Position = Pos;
        Assign(Target, Value.Eval(f), f);
        return Flow.Normal;
    }

    private static IEnumerable<NsRef> NamespacesOf(Expr target) => target switch
    {
        NsRef name => [name],
        TupleExpr tuple => tuple.Items.SelectMany(NamespacesOf),
        _ => [],
    };

    public static void Assign(Expr target, object? value, Frame f)
    {
        if (target is Name name)
        {
            name.Store(f, value);
            return;
        }
        if (target is NsRef ns)
        {
            ns.Store(f, value);
            return;
        }
        f.State.Position = target.Pos;
        var items = ((TupleExpr)target).Items;
        var values = Iteration.Unpack(f.State, value, items.Length);
        for (var i = 0; i < items.Length; i++)
            Assign(items[i], values[i], f);
    }
}

internal sealed class SetBlock(Expr target, Expr? filter, Stmt[] body, int pos) : Stmt(pos)
{
    public readonly Expr Target = target;
    public readonly Expr? Filter = filter;
    public readonly Stmt[] Body = body;
    public SlotLoad[] Loads = [];

    public override Flow Run(Frame f)
    {
        SlotLoad.All(Loads, f);
        object? value = Capture(Body, f);
        if (Filter is FilterExpr filter)
            value = filter.ApplyChain(f, value);
        Set.Assign(Target, value, f);
        return Flow.Normal;
    }
}

internal sealed class FilterBlock(Expr filter, Stmt[] body, int pos) : Stmt(pos)
{
    public readonly FilterExpr Filter = (FilterExpr)filter;
    public readonly Stmt[] Body = body;
    public SlotLoad[] Loads = [];

    public override Flow Run(Frame f)
    {
        SlotLoad.All(Loads, f);
        var value = Filter.ApplyChain(f, Capture(Body, f));
        f.Out.AppendRaw(value);
        return Flow.Normal;
    }
}

internal sealed class With(Expr[] targets, Expr[] values, Stmt[] body, int pos) : Stmt(pos)
{
    public readonly Expr[] Targets = targets;
    public readonly Expr[] Values = values;
    public readonly Stmt[] Body = body;
    public SlotLoad[] Loads = [];

    public override Flow Run(Frame f)
    {
        SlotLoad.All(Loads, f);
        for (var i = 0; i < Targets.Length; i++)
            Set.Assign(Targets[i], Values[i].Eval(f), f);
        return RunAll(Body, f);
    }
}

internal sealed class Autoescape(Expr value, Stmt[] body, int pos) : Stmt(pos)
{
    public readonly Expr Value = value;
    public readonly Stmt[] Body = body;
    public SlotLoad[] Loads = [];

    public override Flow Run(Frame f)
    {
        SlotLoad.All(Loads, f);
        var before = f.State.Autoescape;
        f.State.Autoescape = Value.Truth(f);
        var flow = RunAll(Body, f);
        f.State.Autoescape = before;
        return flow;
    }
}

internal sealed class Break(int pos) : Stmt(pos)
{
    public override Flow Run(Frame f) => Flow.Break;
}

internal sealed class Continue(int pos) : Stmt(pos)
{
    public override Flow Run(Frame f) => Flow.Continue;
}

/// <summary>extends, include, import, from: a chat template has nothing to load from.</summary>
internal sealed class Load(Expr template, int pos) : Stmt(pos)
{
    public readonly Expr Template = template;
    public readonly List<string> Names = [];

    public override Flow Run(Frame f)
    {
        f.State.Position = Pos;
        Template.Eval(f);
        throw PyError.TypeError("no loader for this environment specified");
    }
}
