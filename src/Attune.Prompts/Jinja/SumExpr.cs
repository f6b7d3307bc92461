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
        var first = Parts[0].Eval(f);
        var second = Parts[1].Eval(f);
        if (Parts.Length == 2 || first is not PyStr)
            return Rest(f, Add(f, first, second), 2);
        var text = f.State.NewText();
        if (!Join(f, first, second, text, out var other))
            return other;
        f.State.Charge(text.Length);
        return f.State.Finish(text);
    }

    public override void Emit(Frame f, TextBuilder output)
    {
        var first = Parts[0].Eval(f);
        var second = Parts[1].Eval(f);
        var start = output.Mark();
        if (Join(f, first, second, output, out var other))
            return;
        output.Rewind(start);
        Print(f, other, output);
    }

    /// <summary>Appends while the parts are plain strings. False where one was not: then the sum is in <paramref name="other"/>.</summary>
    private bool Join(Frame f, object? first, object? second, TextBuilder text, out object? other)
    {
        other = null;
        if (first is not PyStr { Markup: false } start)
        {
            other = Rest(f, Add(f, first, second), 2);
            return false;
        }
        var from = text.Mark();
        text.Append(start);
        for (var i = 1; i < Parts.Length; i++)
        {
            var next = i == 1 ? second : Parts[i].Eval(f);
            if (next is PyStr { Markup: false } more)
            {
                text.Append(more);
                continue;
            }
            other = Rest(f, Add(f, text.Since(from), next), i + 1);
            return false;
        }
        return true;
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

    public override object? Eval(Frame f)
    {
        var text = f.State.NewText();
        Emit(f, text);
        f.State.Charge(text.Length);
        return f.State.Finish(text);
    }

    public override void Emit(Frame f, TextBuilder output)
    {
        // Jinja evaluates every part before it prints the first: a part may change a namespace.
        foreach (var value in ListExpr.EvalAll(Parts, f))
            Print(f, value, output);
    }
}
