namespace Attune.Prompts.Jinja;

internal sealed class TestExpr(Expr node, string name, Arguments args, int pos) : Expr(pos)
{
    public readonly Expr Node = node;
    public readonly string TestName = name;
    public readonly Arguments Args = args;
    public readonly Test? Test = Tests.Table.GetValueOrDefault(name);

    /// <summary>A test of what kind of value it is, which only looks at it.</summary>
    private readonly Func<object?, bool>? _kind = args.IsEmpty ? Tests.Kinds.GetValueOrDefault(name) : null;

    public override object? Eval(Frame f) => Py.Bool(Truth(f));

    public override bool Truth(Frame f)
    {
        if (_kind is not null)
            return _kind(Node.Look(f));
        var value = Node.Eval(f);
        f.State.Position = Pos;
        if (Test is null)
            throw PyError.Runtime($"No test named {PyRepr.Quote(TestName)} found.");
        var args = Args.Eval(f);
        f.State.Position = Pos;
        return Test(f.State, value, args);
    }
}
