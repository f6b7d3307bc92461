namespace Attune.Prompts.Jinja;

/// <summary>The arguments of a call as written.</summary>
internal sealed class Arguments(Expr[] positional, string[] names, Expr[] named, Expr? star, Expr? starStar)
{
    public static readonly Arguments None = new([], [], [], null, null);

    public readonly Expr[] Positional = positional;
    public readonly string[] Names = names;
    public readonly Expr[] Named = named;

    public IEnumerable<Expr> All => [.. Positional, .. Named, .. star is null ? (Expr[])[] : [star], .. starStar is null ? (Expr[])[] : [starStar]];

    public bool IsPlain => star is null && starStar is null;

    public CallArgs Eval(Frame f)
    {
        if (IsPlain && Names.Length == 0)
            return new CallArgs(ListExpr.EvalAll(Positional, f));
        var args = ListExpr.EvalAll(Positional, f);
        var names = new List<KeyValuePair<string, object?>>();
        for (var i = 0; i < Names.Length; i++)
            names.Add(new(Names[i], Named[i].Eval(f)));
        if (star is not null)
            args = [.. args, .. Iteration.ToArray(f.State, star.Eval(f))];
        if (starStar is not null)
        {
            var value = starStar.Eval(f);
            if (value is not PyDict dict)
                throw PyError.TypeError($"argument after ** must be a mapping, not {Py.TypeName(value)}");
            for (var i = 0; i < dict.Count; i++)
            {
                if (dict.KeyAt(i) is not PyStr key)
                    throw PyError.TypeError("keywords must be strings");
                if (names.Exists(n => n.Key == key.Text))
                    throw PyError.TypeError($"got multiple values for keyword argument '{key.Text}'");
                names.Add(new(key.Text, dict.ValueAt(i)));
            }
        }
        return new CallArgs(args, [.. names]);
    }
}

/// <summary>Evaluated arguments.</summary>
internal readonly struct CallArgs(object?[] positional, KeyValuePair<string, object?>[]? named = null)
{
    public readonly object?[] Positional = positional;
    public readonly KeyValuePair<string, object?>[] Named = named ?? [];

    public int Count => Positional.Length;

    public object? this[int index] => Positional[index];

    /// <summary>Refuses keyword arguments and a wrong number of positional ones, in Python's words.</summary>
    public void Take(string function, int min, int max)
    {
        if (Named.Length > 0)
            throw PyError.TypeError($"{function}() takes no keyword arguments");
        if (Count >= min && Count <= max)
            return;
        var simple = function[(function.LastIndexOf('.') + 1)..];
        throw PyError.TypeError(min == max
            ? max == 0 ? $"{function}() takes no arguments ({Count} given)"
                : max == 1 ? $"{function}() takes exactly one argument ({Count} given)"
                : $"{simple} expected {max} arguments, got {Count}"
            : Count < min ? $"{simple} expected at least {min} argument{(min == 1 ? "" : "s")}, got {Count}"
                : $"{simple} expected at most {max} argument{(max == 1 ? "" : "s")}, got {Count}");
    }

    /// <summary>Binds to parameters by position and name; absent ones are <see cref="Frame.Missing"/>.</summary>
    public object?[] Bind(string function, int required, params ReadOnlySpan<string> names)
    {
        if (Count > names.Length)
            throw PyError.TypeError($"{function}() takes {(required == names.Length ? "" : $"from {required} to ")}{names.Length} positional argument{(names.Length == 1 ? "" : "s")} but {Count} were given");
        var bound = new object?[names.Length];
        for (var i = 0; i < bound.Length; i++)
            bound[i] = i < Count ? Positional[i] : Frame.Missing;
        foreach (var (name, value) in Named)
        {
            var at = names.IndexOf(name);
            if (at < 0)
                throw PyError.TypeError($"{function}() got an unexpected keyword argument '{name}'");
            if (!ReferenceEquals(bound[at], Frame.Missing))
                throw PyError.TypeError($"{function}() got multiple values for argument '{name}'");
            bound[at] = value;
        }
        for (var i = 0; i < required; i++)
        {
            if (ReferenceEquals(bound[i], Frame.Missing))
                throw PyError.TypeError($"{function}() missing {MissingNames(bound, names, required)}");
        }
        return bound;
    }

    private static string MissingNames(object?[] bound, ReadOnlySpan<string> names, int required)
    {
        var missing = new List<string>();
        for (var i = 0; i < required; i++)
        {
            if (ReferenceEquals(bound[i], Frame.Missing))
                missing.Add($"'{names[i]}'");
        }
        var list = missing.Count switch
        {
            1 => missing[0],
            2 => $"{missing[0]} and {missing[1]}",
            _ => string.Join(", ", missing.Take(missing.Count - 1)) + $", and {missing[^1]}",
        };
        return $"{missing.Count} required positional argument{(missing.Count == 1 ? "" : "s")}: {list}";
    }
}

internal sealed class Call(Expr callee, Arguments args, int pos) : Expr(pos)
{
    public readonly Expr Callee = callee;
    public readonly Arguments Args = args;

    private readonly string? _name = (callee as GetAttr)?.Attribute;

    // A method that a str or a dict has is called without making a bound method first.
    private readonly Method? _strMethod = callee is GetAttr g && g.Attribute is not ("format" or "format_map") ? Methods.Str.GetValueOrDefault(g.Attribute) : null;
    private readonly Method? _dictMethod = callee is GetAttr d ? Methods.Dict.GetValueOrDefault(d.Attribute) : null;

    public override object? Eval(Frame f) => Invoke(f, null);

    public object? Invoke(Frame f, MacroValue? caller)
    {
        f.State.Step();
        object? callee;
        if (Callee is GetAttr attribute)
        {
            var target = attribute.Target.Eval(f);
            var method = target is PyStr ? _strMethod : target is PyDict ? _dictMethod : null;
            if (method is not null && caller is null)
            {
                var args = Args.Eval(f);
                f.State.Position = Pos;
                return method(f.State, target!, args);
            }
            f.State.Position = attribute.Pos;
            callee = target is PyDict dict && _dictMethod is null && dict.TryGet(_name!, out var held) && !Methods.Mutating(isDict: true, _name!) ? held
                : Attributes.GetAttr(f.State, target, _name!);
        }
        else
        {
            callee = Callee.Eval(f);
        }
        var given = Args.Eval(f);
        if (caller is not null)
            given = new CallArgs(given.Positional, [.. given.Named, new("caller", caller)]);
        f.State.Position = Pos;
        return callee is ICallable callable ? callable.Call(f.State, given)
            : callee is Undefined undefined ? throw undefined.Fail()
            : throw PyError.TypeError($"'{Py.TypeName(callee)}' object is not callable");
    }
}

internal sealed class FilterExpr(Expr? node, string name, Arguments args, int pos) : Expr(pos)
{
    public readonly Expr? Node = node;
    public readonly string FilterName = name;
    public readonly Arguments Args = args;
    public Filter? Filter = Filters.Table.GetValueOrDefault(name);

    public override object? Eval(Frame f) => Apply(f, Node!.Eval(f));

    public object? Apply(Frame f, object? value)
    {
        f.State.Step();
        f.State.Position = Pos;
        if (Filter is null)
            throw PyError.Runtime($"No filter named {PyRepr.Quote(FilterName)} found.");
        if (Args.Positional.Length == 0 && Args.Names.Length == 0 && Args.IsPlain)
            return Filter(f.State, value, new CallArgs([]));
        var args = Args.Eval(f);
        f.State.Position = Pos;
        return Filter(f.State, value, args);
    }

    /// <summary>A chain whose innermost filter has no input of its own: a filter block, a set block.</summary>
    public object? ApplyChain(Frame f, object? value) => Apply(f, Node is FilterExpr inner ? inner.ApplyChain(f, value) : value);
}

internal sealed class TestExpr(Expr node, string name, Arguments args, int pos) : Expr(pos)
{
    public readonly Expr Node = node;
    public readonly string TestName = name;
    public readonly Arguments Args = args;
    public Test? Test = Tests.Table.GetValueOrDefault(name);

    public override object? Eval(Frame f)
    {
        if (TestName == "defined" && Node is Name)
            return Py.Bool(Node.Eval(f) is not Undefined);
        var value = Node.Eval(f);
        f.State.Position = Pos;
        if (Test is null)
            throw PyError.Runtime($"No test named {PyRepr.Quote(TestName)} found.");
        var args = Args.Positional.Length == 0 && Args.Names.Length == 0 && Args.IsPlain ? new CallArgs([]) : Args.Eval(f);
        f.State.Position = Pos;
        return Py.Bool(Test(f.State, value, args));
    }
}
