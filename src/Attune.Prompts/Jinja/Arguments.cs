namespace Attune.Prompts.Jinja;

/// <summary>The arguments of a call as written.</summary>
internal sealed class Arguments(Expr[] positional, string[] names, Expr[] named, Expr? star, Expr? starStar)
{
    public static readonly Arguments None = new([], [], [], null, null);

    public readonly Expr[] Positional = positional;
    public readonly string[] Names = names;
    public readonly Expr[] Named = named;

    public IEnumerable<Expr> All => [.. Positional, .. Named, .. star is null ? (Expr[])[] : [star], .. starStar is null ? (Expr[])[] : [starStar]];

    /// <summary>Neither * nor **.</summary>
    public bool IsPlain => star is null && starStar is null;

    /// <summary>Every argument stands there by itself, and no name twice.</summary>
    public readonly bool IsSimple = star is null && starStar is null && names.Distinct(StringComparer.Ordinal).Count() == names.Length;

    public bool IsEmpty => Positional.Length == 0 && Names.Length == 0 && IsPlain;

    // Arguments that are all literals are made once: nothing that is called changes them.
    private readonly CallArgs? _literal = star is null && starStar is null && Array.TrueForAll(positional, p => p is Const) && Array.TrueForAll(named, n => n is Const)
        ? new CallArgs(Array.ConvertAll(positional, p => ((Const)p).Value), names, Array.ConvertAll(named, n => ((Const)n).Value)) : null;

    public CallArgs Eval(Frame f)
    {
        if (_literal is { } literal)
            return literal;
        var args = ListExpr.EvalAll(Positional, f);
        var named = ListExpr.EvalAll(Named, f);
        return IsPlain ? new CallArgs(args, Names, named) : Spread(f, args, [.. Names], [.. named]);
    }

    private CallArgs Spread(Frame f, object?[] args, List<string> names, List<object?> named)
    {
        if (star is not null)
            args = [.. args, .. Iteration.ToArray(f.State, star.Eval(f))];
        if (starStar is null)
            return new CallArgs(args, [.. names], [.. named]);
        var value = starStar.Eval(f);
        if (value is not PyDict dict)
            throw PyError.TypeError($"argument after ** must be a mapping, not {Py.TypeName(value)}");
        for (var i = 0; i < dict.Count; i++)
        {
            if (dict.KeyAt(i) is not PyStr key)
                throw PyError.TypeError("keywords must be strings");
            if (names.Contains(key.Text))
                throw PyError.TypeError($"got multiple values for keyword argument '{key.Text}'");
            names.Add(key.Text);
            named.Add(dict.ValueAt(i));
        }
        return new CallArgs(args, [.. names], [.. named]);
    }
}
