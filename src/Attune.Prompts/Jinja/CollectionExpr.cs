namespace Attune.Prompts.Jinja;

internal sealed class TupleExpr(Expr[] items, int pos) : Expr(pos)
{
    public readonly Expr[] Items = items;

    public override object? Eval(Frame f) => new PyTuple(ListExpr.EvalAll(Items, f));
}

internal sealed class ListExpr(Expr[] items, int pos) : Expr(pos)
{
    public readonly Expr[] Items = items;

    public override object? Eval(Frame f) => new PyList(EvalAll(Items, f));

    public static object?[] EvalAll(ReadOnlySpan<Expr> items, Frame f)
    {
        if (items.Length == 0)
            return [];
        f.State.Charge(items.Length);
        var values = new object?[items.Length];
        for (var i = 0; i < values.Length; i++)
            values[i] = items[i].Eval(f);
        return values;
    }
}

internal sealed class DictExpr(Expr[] keys, Expr[] values, int pos) : Expr(pos)
{
    public readonly Expr[] Keys = keys;
    public readonly Expr[] Values = values;

    public override object? Eval(Frame f)
    {
        f.State.Charge(Keys.Length);
        // All of them are evaluated before the first is looked at as a key.
        var evaluated = new (object? Key, object? Value)[Keys.Length];
        for (var i = 0; i < evaluated.Length; i++)
            evaluated[i] = (Keys[i].Eval(f), Values[i].Eval(f));
        var builder = new PyDictBuilder(Keys.Length);
        foreach (var (key, value) in evaluated)
            builder.Set(key, value);
        return builder.Build();
    }
}
