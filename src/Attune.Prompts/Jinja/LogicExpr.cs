namespace Attune.Prompts.Jinja;

internal sealed class CondExpr(Expr test, Expr value, Expr? other, int pos) : Expr(pos)
{
    public readonly Expr Test = test;
    public readonly Expr Value = value;
    public readonly Expr? Other = other;

    public override object? Eval(Frame f) => Test.Truth(f) ? Value.Eval(f) : Other is not null ? Other.Eval(f) : Nothing(f);

    public override object? Look(Frame f) => Test.Truth(f) ? Value.Look(f) : Other is not null ? Other.Look(f) : Undefined.Any;

    public override void Emit(Frame f, TextBuilder output)
    {
        if (Test.Truth(f))
            Value.Emit(f, output);
        else
            Other?.Emit(f, output);
    }

    public override object? AppendTo(Frame f, TextBuilder text) =>
        Test.Truth(f) ? Value.AppendTo(f, text) : Other is not null ? Other.AppendTo(f, text) : Nothing(f);

    private Undefined Nothing(Frame f) => new($"the inline if-expression on line {f.State.Program.LineOf(Pos)} evaluated to false and no else section was defined.", null);
}

internal sealed class BoolOp(Expr left, Expr right, bool isOr, int pos) : Expr(pos)
{
    public readonly Expr Left = left;
    public readonly Expr Right = right;

    public override object? Eval(Frame f)
    {
        var value = Left.Eval(f);
        return Py.Truth(value) == isOr ? value : Right.Eval(f);
    }

    public override object? Look(Frame f)
    {
        var value = Left.Look(f);
        return Py.Truth(value) == isOr ? value : Right.Look(f);
    }

    public override bool Truth(Frame f) => Left.Truth(f) == isOr ? isOr : Right.Truth(f);
}

internal sealed class NotExpr(Expr operand, int pos) : Expr(pos)
{
    public readonly Expr Operand = operand;

    public override object? Eval(Frame f) => Py.Bool(!Operand.Truth(f));

    public override bool Truth(Frame f) => !Operand.Truth(f);
}

internal enum CompareOp
{
    Equal,
    NotEqual,
    In,
    NotIn,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// <summary>a op b, or a chain of them: every operand is evaluated once, up to the first comparison that does not hold.</summary>
internal sealed class Compare(Expr first, (CompareOp Op, Expr Right)[] ops, int pos) : Expr(pos)
{
    public readonly Expr First = first;
    public readonly (CompareOp Op, Expr Right)[] Ops = ops;

    // An order refuses an undefined value by its name; equality and membership only look.
    private readonly bool _looks = ops.Length == 1 && ops[0].Op <= CompareOp.NotIn;

    // x == 'literal', the question that templates ask most: nothing but an equal string is equal to a string.
    private readonly string? _literal = ops is [{ Op: CompareOp.Equal or CompareOp.NotEqual, Right: Const { Value: PyStr literal } }] ? literal.Text : null;

    public override object? Eval(Frame f) => Py.Bool(Truth(f));

    public override bool Truth(Frame f)
    {
        if (_literal is not null)
            return (First.Look(f) is PyStr text && text.Text == _literal) == (Ops[0].Op == CompareOp.Equal);
        if (!_looks)
            return Chain(f);
        ref readonly var only = ref Ops[0];
        var left = First.Look(f);
        var right = only.Right.Look(f);
        f.State.Position = Pos;
        return Holds(f.State, only.Op, left, right);
    }

    private bool Chain(Frame f)
    {
        var left = First.Eval(f);
        foreach (var (op, next) in Ops)
        {
            var right = next.Eval(f);
            f.State.Position = Pos;
            if (!Holds(f.State, op, left, right))
                return false;
            left = right;
        }
        return true;
    }

    private static bool Holds(RenderState state, CompareOp op, object? left, object? right) => op switch
    {
        CompareOp.Equal => PyCompare.Equal(left, right),
        CompareOp.NotEqual => !PyCompare.Equal(left, right),
        CompareOp.In => PyCompare.Contains(state, right, left),
        CompareOp.NotIn => !PyCompare.Contains(state, right, left),
        _ => PyCompare.Order(op, left, right),
    };
}
