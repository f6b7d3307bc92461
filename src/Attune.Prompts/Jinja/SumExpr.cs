namespace Attune.Prompts.Jinja;

/// <summary>
/// a + b + c…: the common way to put a turn together. Plain strings are joined once, at the end, or go straight to
/// where they are printed; anything else falls back to one addition after the other, in Python's order.
/// </summary>
internal sealed class AddChain(Expr[] parts, int pos) : Expr(pos)
{
    public readonly Expr[] Parts = parts;

    public AddChain With(Expr next) => new([.. Parts, next], Pos);

    public override object? Eval(Frame f)
    {
        if (Parts.Length == 2)
            return Rest(f, Parts[0].Eval(f), 1);
        var text = f.State.NewText();
        var other = AppendTo(f, text);
        if (!ReferenceEquals(other, Appended))
            return other;
        f.State.Charge(text.Length);
        return f.State.Finish(text);
    }

    public override void Emit(Frame f, TextBuilder output)
    {
        var other = AppendTo(f, output);
        if (!ReferenceEquals(other, Appended))
            Print(f, other, output);
    }

    public override object? AppendTo(Frame f, TextBuilder text)
    {
        var start = text.Mark();
        for (var i = 0; i < Parts.Length; i++)
        {
            var part = Parts[i].AppendTo(f, text);
            if (ReferenceEquals(part, Appended))
                continue;
            if (i == 0)
                return Rest(f, part, 1);
            var sum = text.Since(start);
            text.Rewind(start);
            return Rest(f, Add(f, sum, part), i + 1);
        }
        return Appended;
    }

    private object? Rest(Frame f, object? sum, int from)
    {
        for (var i = from; i < Parts.Length; i++)
            sum = Add(f, sum, Parts[i].Eval(f));
        return sum;
    }

    private object? Add(Frame f, object? left, object? right)
    {
        f.State.Position = Pos;
        return Arithmetic.Add(f.State, left, right);
    }
}

/// <summary>a ~ b: prints both and joins.</summary>
internal sealed class ConcatExpr(Expr[] parts, int pos) : Expr(pos)
{
    public readonly Expr[] Parts = parts;

    // Jinja evaluates every part before it prints the first. Only a call can tell: it may change a namespace.
    private readonly bool _calls = Array.Exists(parts, Tree.Calls);

    public override object? Eval(Frame f)
    {
        var text = f.State.NewText();
        Emit(f, text);
        f.State.Charge(text.Length);
        return f.State.Finish(text);
    }

    public override void Emit(Frame f, TextBuilder output)
    {
        var i = 0;
        object? part = Appended;
        while (!_calls && i < Parts.Length && ReferenceEquals(part, Appended))
            part = Parts[i++].AppendTo(f, output);
        var rest = ListExpr.EvalAll(Parts.AsSpan(i), f);
        if (!ReferenceEquals(part, Appended))
            Print(f, part, output);
        foreach (var value in rest)
            Print(f, value, output);
    }
}
