namespace Attune.Prompts.Jinja;

internal sealed class FilterExpr(Expr? node, string name, Arguments args, int pos) : Expr(pos)
{
    public readonly Expr? Node = node;
    public readonly string FilterName = name;
    public readonly Arguments Args = args;
    public readonly Filter? Filter = Filters.Table.GetValueOrDefault(name);

    /// <summary>The filter as it is without arguments, where it is common enough to have such a form.</summary>
    private readonly BareFilter? _bare = args.IsEmpty ? Filters.Bare.GetValueOrDefault(name) : null;

    private readonly WriterFilter? _writer = Filters.Writers.GetValueOrDefault(name);

    public override object? Eval(Frame f) => Apply(f, Node!.Eval(f));

    public override void Emit(Frame f, TextBuilder output)
    {
        if (_writer is null)
            base.Emit(f, output);
        else
            AppendTo(f, output);
    }

    public override object? AppendTo(Frame f, TextBuilder text)
    {
        if (_writer is null)
            return base.AppendTo(f, text);
        var value = Node!.Eval(f);
        f.State.Step();
        f.State.Position = Pos;
        var args = Args.Eval(f);
        f.State.Position = Pos;
        _writer(f.State, value, args, text);
        return Appended;
    }

    public object? Apply(Frame f, object? value)
    {
        f.State.Step();
        f.State.Position = Pos;
        if (_bare is not null)
            return _bare(f.State, value);
        if (Filter is null)
            throw PyError.Runtime($"No filter named {PyRepr.Quote(FilterName)} found.");
        var args = Args.Eval(f);
        f.State.Position = Pos;
        return Filter(f.State, value, args);
    }

    /// <summary>A chain whose innermost filter has no input of its own: a filter block, a set block.</summary>
    public object? ApplyChain(Frame f, object? value) => Apply(f, Node is FilterExpr inner ? inner.ApplyChain(f, value) : value);
}
