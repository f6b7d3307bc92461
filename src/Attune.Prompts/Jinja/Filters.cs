namespace Attune.Prompts.Jinja;

/// <summary>Every filter of Jinja 3.1, by name. The larger ones have files of their own.</summary>
internal static class Filters
{
    /// <summary>The form without arguments of those that take none or are mostly used so: it binds no parameters.</summary>
    public static readonly Dictionary<string, BareFilter> Bare = new(StringComparer.Ordinal);

    /// <summary>Those that can write their text where it is wanted, without making a value of it first.</summary>
    public static readonly Dictionary<string, WriterFilter> Writers = new(StringComparer.Ordinal) { ["tojson"] = JsonDump.DumpTo };

    public static readonly Dictionary<string, Filter> Table = Make();

    /// <summary>str(value), Markup kept: soft_str.</summary>
    public static PyStr Soft(RenderState state, object? value) => value as PyStr ?? PyRepr.Str(state, value);

    /// <summary>Binds the value and the arguments to a filter's parameters.</summary>
    private static object?[] Bind(string function, object? value, CallArgs args, int required, params ReadOnlySpan<string> names) =>
        args.IsEmpty && required == 1 ? Fast(value, names.Length)
        : args.After(value).Bind(function, required, names);

    private static object?[] Fast(object? value, int count)
    {
        var bound = new object?[count];
        Array.Fill(bound, Frame.Missing);
        bound[0] = value;
        return bound;
    }

    private static object? Or(object? value, object? otherwise) => ReferenceEquals(value, Frame.Missing) ? otherwise : value;

    private static bool Flag(object? value, bool otherwise = false) => ReferenceEquals(value, Frame.Missing) ? otherwise : Py.Truth(value);

    // sorted() takes a number here, and nothing else.
    private static bool Reversed(object? value) => !ReferenceEquals(value, Frame.Missing) && Py.Index(value) != 0;

    private static Dictionary<string, Filter> Make()
    {
        var f = new Dictionary<string, Filter>(StringComparer.Ordinal);

        void One(string name, string function, string parameter, BareFilter run)
        {
            Bare[name] = run;
            f[name] = (state, value, args) => run(state, Bind(function, value, args, 1, parameter)[0]);
        }
        void Text(string name, Func<RenderState, PyStr, object?> run, string? function = null) =>
            One(name, function ?? "do_" + name, "s", (state, value) => run(state, Soft(state, value)));

        Text("upper", CaseMapping.Upper);
        Text("lower", CaseMapping.Lower);
        Text("capitalize", CaseMapping.Capitalize);
        Text("title", TextFilters.Title);
        Text("wordcount", (_, s) => PyNumber.Int(TextFilters.WordCount(s.Text)));
        Text("string", (_, s) => s, "soft_str");
        Text("striptags", (state, s) => Html.StripTags(state, s.WithMarkup(false)).WithMarkup(false));
        Text("forceescape", (state, s) => Html.Escape(state, s.WithMarkup(false)));
        Text("escape", Html.Escape, "escape");
        Text("e", Html.Escape, "escape");
        One("safe", "do_mark_safe", "value", (state, value) => PyRepr.Str(state, value).WithMarkup(true));
        Bare["trim"] = (state, value) => StrMethods.Strip(Soft(state, value), null, left: true, right: true);
        f["trim"] = (state, value, args) => Bind("do_trim", value, args, 1, "value", "chars") is var b
            ? StrMethods.Strip(Soft(state, b[0]), Or(b[1], null), left: true, right: true) : null;
        f["replace"] = (state, value, args) => Bind("do_replace", value, args, 3, "s", "old", "new", "count") is var b
            ? StrMethods.Replace(state, PyRepr.Str(state, b[0]), PyRepr.Str(state, b[1]), PyRepr.Str(state, b[2]), Or(b[3], null) is { } count ? Py.Index(count) : -1) : null;
        f["center"] = (state, value, args) => Bind("do_center", value, args, 1, "value", "width") is var b
            ? StrMethods.Pad(state, Soft(state, b[0]), Py.Index(Or(b[1], 80L)), " ", 0.5) : null;
        f["format"] = (state, value, args) => args is { Count: > 0, Named.Length: > 0 }
            ? throw PyError.FilterArgument("can't handle positional and keyword arguments at the same time")
            : PercentFormat.Apply(state, Soft(state, value), args.Named.Length > 0 ? args.NamedDict() : new PyTuple(args.Positional));
        f["indent"] = (state, value, args) => Bind("do_indent", value, args, 1, "s", "width", "first", "blank") is var b
            ? TextFilters.Indent(state, b[0], Or(b[1], 4L), Flag(b[2]), Flag(b[3])) : null;
        f["truncate"] = (state, value, args) => Bind("do_truncate", value, args, 1, "s", "length", "killwords", "end", "leeway") is var b
            ? TextFilters.Truncate(state, b[0], Py.Calculated(Or(b[1], 255L)), Flag(b[2]), Soft(state, Or(b[3], Py.Str("..."))), Py.Calculated(Or(b[4], null) ?? 5L)) : null;
        f["wordwrap"] = (state, value, args) => Bind("do_wordwrap", value, args, 1, "s", "width", "break_long_words", "wrapstring", "break_on_hyphens") is var b
            ? TextFilters.WordWrap(state, TextFilters.Lined(b[0]), Py.Index(Or(b[1], 79L)), Flag(b[2], true), Or(b[3], null) as PyStr ?? Py.Str("\n"), Flag(b[4], true)) : null;
        One("urlencode", "do_urlencode", "value", (state, value) => WebFilters.UrlEncode(state, value));
        f["xmlattr"] = (state, value, args) => Bind("do_xmlattr", value, args, 1, "d", "autospace") is var b ? WebFilters.XmlAttr(state, b[0], Flag(b[1], true)) : null;
        f["urlize"] = (_, _, _) => throw new PyError("NotImplementedError", "The urlize filter makes HTML links and is not available here.");
        One("pprint", "do_pprint", "value", (state, value) => PyRepr.ReprText(state, value));
        f["tojson"] = JsonDump.Dump;
        f["filesizeformat"] = (_, value, args) => Bind("do_filesizeformat", value, args, 1, "value", "binary") is var b ? NumberFilters.FileSize(b[0], Flag(b[1])) : null;
        f["int"] = (_, value, args) => Bind("do_int", value, args, 1, "value", "default", "base") is var b ? Conversion.Int(b[0], Or(b[1], 0L), Py.Index(Or(b[2], 10L))) : null;
        f["float"] = (_, value, args) => Bind("do_float", value, args, 1, "value", "default") is var b ? Conversion.Float(b[0], Or(b[1], 0.0)) : null;
        One("abs", "abs", "x", (_, value) => NumberFilters.Abs(value));
        f["round"] = (_, value, args) => Bind("do_round", value, args, 1, "value", "precision", "method") is var b
            ? NumberFilters.Round(b[0], Or(b[1], 0L), ReferenceEquals(b[2], Frame.Missing) ? "common" : (b[2] as PyStr)?.Text ?? "") : null;
        f["default"] = (_, value, args) =>
        {
            var b = Bind("do_default", value, args, 1, "value", "default_value", "boolean");
            return b[0] is Undefined || (Flag(b[2]) && !Py.Truth(b[0])) ? Or(b[1], PyStr.Empty) : b[0];
        };
        f["d"] = f["default"];
        f["attr"] = (state, value, args) => Bind("do_attr", value, args, 2, "obj", "name") is var b ? SequenceFilters.Attr(state, b[0], b[1] as PyStr ?? throw PyError.TypeError($"attribute name must be string, not '{Py.TypeName(b[1])}'")) : null;
        One("length", "len", "obj", (_, value) => PyNumber.Int(SequenceFilters.Length(value)));
        One("count", "len", "obj", Bare["length"]);
        One("list", "do_list", "value", (state, value) => new PyList([.. Iteration.ToArray(state, value)]));
        One("first", "do_first", "seq", (state, value) => PyIter.Of(state, value).Next(out var first) ? first : new Undefined("No first item, sequence was empty.", null));
        One("last", "do_last", "seq", SequenceFilters.Last);
        One("random", "do_random", "seq", SequenceFilters.Random);
        One("reverse", "do_reverse", "value", SequenceFilters.Reverse);
        One("items", "do_items", "value", SequenceFilters.Items);
        f["join"] = (state, value, args) => Bind("sync_do_join", value, args, 1, "value", "d", "attribute") is var b
            ? SequenceFilters.Join(state, b[0], PyRepr.Str(state, Or(b[1], PyStr.Empty)), Or(b[2], null)) : null;
        f["dictsort"] = (state, value, args) => Bind("do_dictsort", value, args, 1, "value", "case_sensitive", "by", "reverse") is var b
            ? SequenceFilters.DictSort(state, b[0], Flag(b[1]), Or(b[2], Py.Str("key")), Flag(b[3])) : null;
        f["sort"] = (state, value, args) => Bind("do_sort", value, args, 1, "value", "reverse", "case_sensitive", "attribute") is var b
            ? SequenceFilters.Sort(state, b[0], Reversed(b[1]), Flag(b[2]), Or(b[3], null)) : null;
        f["unique"] = (state, value, args) => Bind("do_unique", value, args, 1, "value", "case_sensitive", "attribute") is var b
            ? SequenceFilters.Unique(state, b[0], Flag(b[1]), Or(b[2], null)) : null;
        f["min"] = (state, value, args) => Bind("do_min", value, args, 1, "value", "case_sensitive", "attribute") is var b
            ? SequenceFilters.Extreme(state, b[0], Flag(b[1]), Or(b[2], null), CompareOp.Less) : null;
        f["max"] = (state, value, args) => Bind("do_max", value, args, 1, "value", "case_sensitive", "attribute") is var b
            ? SequenceFilters.Extreme(state, b[0], Flag(b[1]), Or(b[2], null), CompareOp.Greater) : null;
        f["groupby"] = (state, value, args) => Bind("do_groupby", value, args, 2, "value", "attribute", "default", "case_sensitive") is var b
            ? SequenceFilters.GroupBy(state, b[0], b[1], Or(b[2], null), Flag(b[3])) : null;
        f["sum"] = (state, value, args) => Bind("do_sum", value, args, 1, "iterable", "attribute", "start") is var b
            ? SequenceFilters.Sum(state, b[0], Or(b[1], null), Or(b[2], 0L)) : null;
        f["batch"] = (state, value, args) => Bind("do_batch", value, args, 2, "value", "linecount", "fill_with") is var b
            ? SequenceFilters.Batch(state, b[0], Py.Index(b[1]), Or(b[2], null)) : null;
        f["slice"] = (state, value, args) => Bind("do_slice", value, args, 2, "value", "slices", "fill_with") is var b
            ? SequenceFilters.Slices(state, b[0], Py.Index(b[1]), Or(b[2], null)) : null;
        f["map"] = SelectFilters.Map;
        f["select"] = (state, value, args) => SelectFilters.Select(state, value, args, attribute: false, keep: true);
        f["reject"] = (state, value, args) => SelectFilters.Select(state, value, args, attribute: false, keep: false);
        f["selectattr"] = (state, value, args) => SelectFilters.Select(state, value, args, attribute: true, keep: true);
        f["rejectattr"] = (state, value, args) => SelectFilters.Select(state, value, args, attribute: true, keep: false);
        return f;
    }
}
