namespace Attune.Prompts.Jinja;

/// <summary>Every test of Jinja 3.1, by name.</summary>
internal static class Tests
{
    /// <summary>Tests of what kind of value it is. They take no arguments, never fail, and ask an undefined value for nothing.</summary>
    public static readonly Dictionary<string, Func<object?, bool>> Kinds = new(StringComparer.Ordinal)
    {
        ["defined"] = v => v is not Undefined,
        ["undefined"] = v => v is Undefined,
        ["none"] = v => v is null,
        ["boolean"] = v => v is bool,
        ["true"] = v => v is true,
        ["false"] = v => v is false,
        ["integer"] = v => v is long or System.Numerics.BigInteger,
        ["float"] = v => v is double,
        ["number"] = PyNumber.Is,
        ["string"] = v => v is PyStr,
        ["mapping"] = v => v is PyDict,
        ["sequence"] = v => v is PyStr or PyList or PyTuple or PyDict or PyRange or Undefined,
        ["iterable"] = Iteration.IsIterable,
        ["callable"] = v => v is ICallable and not Namespace || v is Undefined,
        ["escaped"] = v => v is PyStr { Markup: true },
    };

    public static readonly Dictionary<string, Test> Table = Make();

    private static Dictionary<string, Test> Make()
    {
        var t = new Dictionary<string, Test>(StringComparer.Ordinal);

        void One(string name, Func<object?, bool> test) => t[name] = (_, value, args) => args.IsEmpty ? test(value)
            : throw PyError.TypeError(FormattableString.Invariant($"test_{name}() takes 1 positional argument but {args.Count + 1} were given"));
        void Two(string names, Func<RenderState, object?, object?, bool> test)
        {
            foreach (var name in names.Split(' '))
                t[name] = (state, value, args) => test(state, value, args.After(value).Bind(name, 2, "a", "b")[1]);
        }

        foreach (var (name, test) in Kinds)
            One(name, test);
        One("odd", v => Rest(v, 2) is { } rest && PyCompare.Equal(rest, 1L));
        One("even", v => Rest(v, 2) is { } rest && PyCompare.Equal(rest, 0L));
        One("lower", v => v is PyStr s ? (bool)Methods.Str["islower"](null!, s, CallArgs.None)! : Cased(v, upper: false));
        One("upper", v => v is PyStr s ? (bool)Methods.Str["isupper"](null!, s, CallArgs.None)! : Cased(v, upper: true));
        One("filter", v => Known(v, Filters.Table.ContainsKey));
        One("test", v => Known(v, Table!.ContainsKey));
        t["divisibleby"] = (state, value, args) => PyCompare.Equal(Arithmetic.Modulo(state, value, args.After(value).Bind("test_divisibleby", 2, "value", "num")[1]), 0L);
        t["sameas"] = (_, value, args) => Same(value, args.After(value).Bind("test_sameas", 2, "value", "other")[1]);
        t["in"] = (state, value, args) => PyCompare.Contains(state, args.After(value).Bind("test_in", 2, "value", "seq")[1], value);
        Two("eq equalto ==", (_, a, b) => PyCompare.Equal(a, b));
        Two("ne !=", (_, a, b) => !PyCompare.Equal(a, b));
        Two("lt lessthan <", (_, a, b) => PyCompare.Order(CompareOp.Less, a, b));
        Two("le <=", (_, a, b) => PyCompare.Order(CompareOp.LessOrEqual, a, b));
        Two("gt greaterthan >", (_, a, b) => PyCompare.Order(CompareOp.Greater, a, b));
        Two("ge >=", (_, a, b) => PyCompare.Order(CompareOp.GreaterOrEqual, a, b));
        return t;
    }

    // A look-up in a dict: what has no hash cannot be asked for.
    private static bool Known(object? value, Func<string, bool> has) => value is PyList or PyDict
        ? throw PyError.TypeError($"unhashable type: '{Py.TypeName(value)}'")
        : value is PyStr name && has(name.Text);

    private static object? Rest(object? value, long by) => value is PyStr
        ? throw PyError.TypeError("not all arguments converted during string formatting")
        : Arithmetic.Modulo(null!, value, by);

    private static bool Cased(object? value, bool upper)
    {
        var text = (PyStr)PyRepr.Str(null, value);
        return (bool)Methods.Str[upper ? "isupper" : "islower"](null!, text, CallArgs.None)!;
    }

    private static bool Same(object? a, object? b) => ReferenceEquals(a, b) || (a, b) switch
    {
        (bool x, bool y) => x == y,
        (long x, long y) => x == y && x is >= -5 and <= 256,
        (PyStr x, PyStr y) => x.Text == y.Text && x.Text.Length <= 1,
        _ => false,
    };
}
