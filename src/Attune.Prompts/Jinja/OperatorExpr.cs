namespace Attune.Prompts.Jinja;

internal sealed class Binary(string op, Expr left, Expr right, int pos) : Expr(pos)
{
    public readonly Expr Left = left;
    public readonly Expr Right = right;

    public override object? Eval(Frame f)
    {
        var left = Left.Eval(f);
        var right = Right.Eval(f);
        f.State.Position = Pos;
        return op switch
        {
            "-" => Arithmetic.Subtract(left, right),
            "*" => Arithmetic.Multiply(f.State, left, right),
            "/" => Arithmetic.Divide(left, right),
            "//" => Arithmetic.FloorDivide(left, right),
            "%" => Arithmetic.Modulo(f.State, left, right),
            _ => Arithmetic.Power(f.State, left, right),
        };
    }
}

internal sealed class Unary(bool negative, Expr operand, int pos) : Expr(pos)
{
    public readonly Expr Operand = operand;
    public readonly bool Negative = negative;

    // A negative literal is no calculation: messages[-1] is in most templates.
    private readonly object? _literal = operand is Const { Value: long or double } number ? Arithmetic.Sign(number.Value, negative) : null;

    public override object? Eval(Frame f)
    {
        if (_literal is not null)
            return _literal;
        var value = Operand.Eval(f);
        f.State.Position = Pos;
        return Arithmetic.Sign(value, Negative);
    }
}
