namespace Attune.Prompts.Jinja;

/// <summary>The functions that every template sees.</summary>
internal static class Globals
{
    private const int MaxRange = 100_000;

    public static readonly Dictionary<string, object?> Table = new(StringComparer.Ordinal)
    {
        ["range"] = new TypeValue("range", (_, args) => Range(args)),
        ["dict"] = new TypeValue("dict", Dict),
        ["namespace"] = new TypeValue("jinja2.utils.Namespace", MakeNamespace),
        ["cycler"] = new TypeValue("jinja2.utils.Cycler", (_, args) => args.Count > 0 ? new Cycler(args.Positional) : throw new PyError("RuntimeError", "at least one item has to be provided")),
        ["joiner"] = new TypeValue("jinja2.utils.Joiner", (_, args) => new Joiner(args.Bind("Joiner.__init__", 0, "sep")[0] is var sep && ReferenceEquals(sep, Frame.Missing) ? new PyStr(", ") : sep)),
        ["self"] = new TemplateReference(),
        ["lipsum"] = new Builtin("lipsum", (_, _) => throw new PyError("NotImplementedError", "lipsum() makes random text and is not available here.")),
        ["raise_exception"] = new Builtin("raise_exception", (state, args) =>
        {
            var message = args.Bind("raise_exception", 1, "message")[0];
            throw new PyError("TemplateError", message is null ? "None" : PyRepr.Str(state, message).Text);
        }),
        ["strftime_now"] = new Builtin("strftime_now", (state, args) =>
        {
            var format = StrMethods.Arg(args.Bind("strftime_now", 1, "format")[0], "strftime() argument 1 must be str, not ");
            return new PyStr(Strftime.Format(state.Now, format.Text), format.FromCaller ? Origin.Computed : null);
        }),
    };

    private static PyRange Range(CallArgs args)
    {
        args.Take("range", 1, 3);
        var numbers = Array.ConvertAll(args.Positional, v => Py.TryIndex(v, out var n) ? n : throw PyError.TypeError($"'{Py.TypeName(v)}' object cannot be interpreted as an integer"));
        if (numbers.Length == 3 && numbers[2] == 0)
            throw PyError.ValueError("range() arg 3 must not be zero");
        var range = numbers.Length == 1 ? new PyRange(0, numbers[0], 1) : new PyRange(numbers[0], numbers[1], numbers.Length > 2 ? numbers[2] : 1);
        return range.Length <= MaxRange ? range
            : throw new PyError("OverflowError", $"Range too big. The sandbox blocks ranges larger than MAX_RANGE ({MaxRange}).");
    }

    private static PyDict Dict(RenderState state, CallArgs args)
    {
        if (args.Count > 1)
            throw PyError.TypeError(FormattableString.Invariant($"dict expected at most 1 argument, got {args.Count}"));
        var builder = new PyDictBuilder(args.Names.Length);
        if (args.Count == 1)
            Fill(state, builder, args[0]);
        for (var i = 0; i < args.Names.Length; i++)
            builder.Set(new PyStr(args.Names[i]), args.Named[i]);
        return builder.Build();
    }

    private static void Fill(RenderState state, PyDictBuilder builder, object? value)
    {
        if (value is PyDict dict)
        {
            for (var i = 0; i < dict.Count; i++)
                builder.Set(dict.KeyAt(i), dict.ValueAt(i));
            return;
        }
        var at = 0;
        foreach (var pair in Iteration.Each(state, value))
        {
            if (!Iteration.IsIterable(pair))
                throw PyError.TypeError(FormattableString.Invariant($"cannot convert dictionary update sequence element #{at} to a sequence"));
            var both = Iteration.ToArray(state, pair);
            if (both.Length != 2)
                throw PyError.ValueError(FormattableString.Invariant($"dictionary update sequence element #{at} has length {both.Length}; 2 is required"));
            builder.Set(both[0], both[1]);
            at++;
        }
    }

    private static Namespace MakeNamespace(RenderState state, CallArgs args)
    {
        var space = new Namespace(args.Names.Length);
        if (args.Count == 0)
        {
            for (var i = 0; i < args.Names.Length; i++)
                space.Set(args.Names[i], args.Named[i]);
            return space;
        }
        var dict = Dict(state, args);
        for (var i = 0; i < dict.Count; i++)
        {
            if (dict.KeyAt(i) is PyStr key)
                space.Set(key.Text, dict.ValueAt(i));
        }
        return space;
    }
}
