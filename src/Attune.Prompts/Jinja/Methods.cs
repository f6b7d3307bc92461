using System.Globalization;
using System.Numerics;
using System.Text;

namespace Attune.Prompts.Jinja;

/// <summary>The methods that templates may call on the built-in types.</summary>
internal static class Methods
{
    private static readonly HashSet<string> ListMutators = ["append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove"];
    private static readonly HashSet<string> DictMutators = ["clear", "pop", "popitem", "setdefault", "update"];

    // What every Python object has; anything else that begins with an underscore is simply not there.
    private static readonly HashSet<string> Private =
    [
        "__class__", "__delattr__", "__dir__", "__doc__", "__eq__", "__format__", "__ge__", "__getattribute__", "__getstate__", "__gt__",
        "__hash__", "__init__", "__init_subclass__", "__le__", "__lt__", "__ne__", "__new__", "__reduce__", "__reduce_ex__", "__repr__",
        "__setattr__", "__sizeof__", "__str__", "__subclasshook__",
    ];

    public static bool Mutating(bool isDict, string name) => (isDict ? DictMutators : ListMutators).Contains(name);

    /// <summary>A dict has, or refuses to have, an attribute of this name.</summary>
    public static bool OfDict(string name) => Dict.ContainsKey(name) || DictMutators.Contains(name) || name.StartsWith("__", StringComparison.Ordinal);

    /// <summary>A private name that the reference's object has: it is refused, not absent.</summary>
    public static bool IsPython(object? target, string name) => Private.Contains(name) || Array.IndexOf(PrivateOf(target), name) >= 0;

    private static string[] PrivateOf(object? target) => target switch
    {
        PyStr => ["__add__", "__contains__", "__getitem__", "__getnewargs__", "__iter__", "__len__", "__mod__", "__mul__", "__rmod__", "__rmul__"],
        PyList => ["__add__", "__class_getitem__", "__contains__", "__delitem__", "__getitem__", "__iadd__", "__imul__", "__iter__", "__len__", "__mul__", "__reversed__", "__rmul__", "__setitem__"],
        PyDict => ["__class_getitem__", "__contains__", "__delitem__", "__getitem__", "__ior__", "__iter__", "__len__", "__or__", "__reversed__", "__ror__", "__setitem__"],
        PyTuple => ["__add__", "__class_getitem__", "__contains__", "__getitem__", "__getnewargs__", "__iter__", "__len__", "__mul__", "__rmul__"],
        PyRange => ["__bool__", "__contains__", "__getitem__", "__iter__", "__len__", "__reversed__"],
        Undefined => ["__add__", "__bool__", "__call__", "__complex__", "__float__", "__floordiv__", "__getitem__", "__int__", "__iter__", "__len__", "__mod__", "__mul__", "__neg__", "__pos__", "__pow__", "__radd__", "__rmul__", "__slots__", "__sub__", "__truediv__"],
        long or double or bool or BigInteger => ["__abs__", "__add__", "__bool__", "__divmod__", "__float__", "__floordiv__", "__int__", "__mod__", "__mul__", "__neg__", "__pos__", "__pow__", "__radd__", "__rmul__", "__round__", "__rsub__", "__sub__", "__truediv__", "__trunc__"],
        _ => [],
    };

    public static readonly Dictionary<string, Method> Str = MakeStr();

    private static Dictionary<string, Method> MakeStr()
    {
        var m = new Dictionary<string, Method>(StringComparer.Ordinal);

        void Plain(string name, Func<RenderState, PyStr, object?> run) => m[name] = (state, self, args) =>
        {
            args.Take("str." + name, 0, 0);
            return run(state, (PyStr)self);
        };
        void Take(string name, int min, int max, Func<RenderState, PyStr, CallArgs, object?> run) => m[name] = (state, self, args) =>
        {
            args.Take(max == 1 && min == 1 ? "str." + name : name, min, max);
            return run(state, (PyStr)self, args);
        };
        void All(string name, bool emptyIs, Func<Rune, bool> test) => Plain(name, (_, s) =>
            Py.Bool(s.Text.Length == 0 ? emptyIs : s.Text.EnumerateRunes().All(test)));

        Plain("upper", (state, s) => CaseMapping.Upper(state, s));
        Plain("lower", (state, s) => CaseMapping.Lower(state, s));
        Plain("capitalize", (state, s) => CaseMapping.Capitalize(state, s));
        Plain("title", (state, s) => CaseMapping.TitleWords(state, s));
        Plain("swapcase", (state, s) => CaseMapping.Swap(state, s));
        Plain("casefold", (state, s) => CaseMapping.Fold(state, s));
        Take("strip", 0, 1, (_, s, a) => StrMethods.Strip(s, Optional(a, 0), left: true, right: true));
        Take("lstrip", 0, 1, (_, s, a) => StrMethods.Strip(s, Optional(a, 0), left: true, right: false));
        Take("rstrip", 0, 1, (_, s, a) => StrMethods.Strip(s, Optional(a, 0), left: false, right: true));
        m["split"] = (state, self, args) => SplitWith(state, (PyStr)self, args, "split", fromRight: false);
        m["rsplit"] = (state, self, args) => SplitWith(state, (PyStr)self, args, "rsplit", fromRight: true);
        m["splitlines"] = (state, self, args) =>
        {
            var keep = args.Bind("splitlines", 0, "keepends")[0];
            return new PyList([.. StrMethods.Lines(state, (PyStr)self, !ReferenceEquals(keep, Frame.Missing) && Py.Truth(keep))]);
        };
        Take("join", 1, 1, (state, s, a) => Iteration.IsIterable(a[0]) ? StrMethods.Join(state, s, Iteration.ToArray(state, a[0])) : throw PyError.TypeError("can only join an iterable"));
        Take("replace", 2, 3, (state, s, a) => StrMethods.Replace(state, s, ReplaceArg(a[0], 1), ReplaceArg(a[1], 2), a.Count > 2 ? Py.Index(a[2]) : -1));
        Take("find", 1, 3, (_, s, a) => PyNumber.Int(StrMethods.Find(s, a, last: false)));
        Take("rfind", 1, 3, (_, s, a) => PyNumber.Int(StrMethods.Find(s, a, last: true)));
        Take("index", 1, 3, (_, s, a) => PyNumber.Int(StrMethods.Find(s, a, last: false) is var at and >= 0 ? at : throw PyError.ValueError("substring not found")));
        Take("rindex", 1, 3, (_, s, a) => PyNumber.Int(StrMethods.Find(s, a, last: true) is var at and >= 0 ? at : throw PyError.ValueError("substring not found")));
        Take("count", 1, 3, (_, s, a) => PyNumber.Int(StrMethods.Count(s, a)));
        Take("startswith", 1, 3, (_, s, a) => Py.Bool(StrMethods.Affix(s, a, starts: true, "startswith")));
        Take("endswith", 1, 3, (_, s, a) => Py.Bool(StrMethods.Affix(s, a, starts: false, "endswith")));
        Take("partition", 1, 1, (_, s, a) => StrMethods.Partition(s, StrMethods.Arg(a[0]), last: false));
        Take("rpartition", 1, 1, (_, s, a) => StrMethods.Partition(s, StrMethods.Arg(a[0]), last: true));
        Take("removeprefix", 1, 1, (_, s, a) => s.Text.StartsWith(StrMethods.Arg(a[0], "removeprefix() argument must be str, not ").Text, StringComparison.Ordinal) ? s.From(((PyStr)a[0]!).Text.Length) : s);
        Take("removesuffix", 1, 1, (_, s, a) => StrMethods.Arg(a[0], "removesuffix() argument must be str, not ").Text is { Length: > 0 } end && s.Text.EndsWith(end, StringComparison.Ordinal) ? s.Range(0, s.Text.Length - end.Length) : s);
        Take("zfill", 1, 1, (state, s, a) => StrMethods.ZeroFill(state, s, Py.Index(a[0])));
        Take("center", 1, 2, (state, s, a) => StrMethods.Pad(state, s, Py.Index(a[0]), Fill(a), 0.5));
        Take("ljust", 1, 2, (state, s, a) => StrMethods.Pad(state, s, Py.Index(a[0]), Fill(a), 0));
        Take("rjust", 1, 2, (state, s, a) => StrMethods.Pad(state, s, Py.Index(a[0]), Fill(a), 1));
        m["expandtabs"] = (state, self, args) => StrMethods.ExpandTabs(state, (PyStr)self, args.Bind("expandtabs", 0, "tabsize")[0] is var size && ReferenceEquals(size, Frame.Missing) ? 8 : Py.Index(size));
        m["format"] = (state, self, args) => StrFormat.Apply(state, (PyStr)self, args.Positional, args.NamedDict());
        m["format_map"] = (state, self, args) => args.Named.Length > 0 ? throw PyError.TypeError("format_map() takes no keyword arguments")
            : args.Count != 1 ? throw PyError.TypeError(FormattableString.Invariant($"format_map() takes exactly one argument ({args.Count} given)"))
            : StrFormat.Apply(state, (PyStr)self, [], args[0]);
        All("isalpha", false, Rune.IsLetter);
        All("isdecimal", false, r => Rune.GetUnicodeCategory(r) == UnicodeCategory.DecimalDigitNumber);
        All("isdigit", false, r => Rune.GetUnicodeCategory(r) == UnicodeCategory.DecimalDigitNumber || r.Value is 0xB2 or 0xB3 or 0xB9 or 0x2070 or (>= 0x2074 and <= 0x2079) or (>= 0x2080 and <= 0x2089) or (>= 0x2460 and <= 0x2468));
        All("isnumeric", false, IsNumeric);
        All("isalnum", false, r => Rune.IsLetter(r) || IsNumeric(r));
        All("isspace", false, r => r.IsBmp && CodePoints.IsSpace((char)r.Value));
        All("isascii", true, r => r.IsAscii);
        All("isprintable", true, r => PyRepr.Quote(r.ToString()).Length == r.Utf16SequenceLength + 2 || r.Value is '\\' or '\'');
        Plain("isidentifier", (_, s) => Py.Bool(s.Text.Length > 0 && (Rune.IsLetter(Rune.GetRuneAt(s.Text, 0)) || s.Text[0] == '_')
            && s.Text.EnumerateRunes().All(r => Rune.IsLetterOrDigit(r) || r.Value == '_' || Rune.GetUnicodeCategory(r) is UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.ConnectorPunctuation)));
        Plain("isupper", (_, s) => Py.Bool(s.Text.EnumerateRunes().Any(CaseMapping.IsUpper) && !s.Text.EnumerateRunes().Any(r => CaseMapping.IsLower(r) || CaseMapping.IsTitle(r))));
        Plain("islower", (_, s) => Py.Bool(s.Text.EnumerateRunes().Any(CaseMapping.IsLower) && !s.Text.EnumerateRunes().Any(r => CaseMapping.IsUpper(r) || CaseMapping.IsTitle(r))));
        Plain("istitle", (_, s) => Py.Bool(IsTitle(s.Text)));
        m["maketrans"] = (state, _, args) => StrTranslate.Table(state, args);
        Take("translate", 1, 1, (state, s, a) => StrTranslate.Apply(state, s, a[0]));
        m["encode"] = (_, _, _) => throw new PyError("NotImplementedError", "str.encode is not available in templates here: it gives bytes, which no prompt is made of");
        return m;
    }

    private static bool IsNumeric(Rune rune) => Rune.GetUnicodeCategory(rune) is UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber
        || Rune.GetNumericValue(rune) >= 0;

    private static bool IsTitle(string text)
    {
        var (inWord, any) = (false, false);
        foreach (var rune in text.EnumerateRunes())
        {
            if (CaseMapping.IsUpper(rune) || CaseMapping.IsTitle(rune))
            {
                if (inWord)
                    return false;
                (inWord, any) = (true, true);
            }
            else if (CaseMapping.IsLower(rune))
            {
                if (!inWord)
                    return false;
                any = true;
            }
            else
            {
                inWord = false;
            }
        }
        return any;
    }

    private static PyStr ReplaceArg(object? value, int position) =>
        value as PyStr ?? throw PyError.TypeError(FormattableString.Invariant($"replace() argument {position} must be str, not {Py.TypeName(value)}"));

    private static string Fill(CallArgs args) => args.Count < 2 ? " "
        : args[1] is PyStr { Length: 1 } fill ? fill.Text
        : throw PyError.TypeError(args[1] is PyStr ? "The fill character must be exactly one character long" : $"The fill character must be a unicode character, not {Py.TypeName(args[1])}");

    private static object? Optional(CallArgs args, int index) => args.Count > index ? args[index] : null;

    private static PyList SplitWith(RenderState state, PyStr self, CallArgs args, string name, bool fromRight)
    {
        if (args.IsText(out var by))
            return new PyList(StrMethods.Split(state, self, by, -1, fromRight));
        var bound = args.Bind(name, 0, "sep", "maxsplit");
        var separator = ReferenceEquals(bound[0], Frame.Missing) ? null : bound[0];
        var max = ReferenceEquals(bound[1], Frame.Missing) ? -1 : Py.Index(bound[1]);
        if (separator is not null and not PyStr)
            throw PyError.TypeError($"must be str or None, not {Py.TypeName(separator)}");
        return new PyList(StrMethods.Split(state, self, separator, max, fromRight));
    }

    public static readonly Dictionary<string, Method> Dict = new(StringComparer.Ordinal)
    {
        ["get"] = (_, self, args) =>
        {
            if (args.Named.Length > 0)
                throw PyError.TypeError("dict.get() takes no keyword arguments");
            args.Take("get", 1, 2);
            return ((PyDict)self).TryGet(args[0], out var value) ? value : args.Count > 1 ? args[1] : null;
        },
        ["items"] = (_, self, args) => View(self, args, "items"),
        ["keys"] = (_, self, args) => View(self, args, "keys"),
        ["values"] = (_, self, args) => View(self, args, "values"),
        ["copy"] = (_, self, args) =>
        {
            args.Take("dict.copy", 0, 0);
            return self;
        },
        ["fromkeys"] = (state, _, args) =>
        {
            args.Take("fromkeys", 1, 2);
            var builder = new PyDictBuilder(4);
            foreach (var key in Iteration.ToArray(state, args[0]))
                builder.Set(key, args.Count > 1 ? args[1] : null);
            return builder.Build();
        },
    };

    private static PyView View(object self, CallArgs args, string kind)
    {
        args.Take("dict." + kind, 0, 0);
        return new((PyDict)self, kind);
    }

    public static readonly Dictionary<string, Method> List = new(StringComparer.Ordinal)
    {
        ["count"] = (state, self, args) =>
        {
            args.Take($"{Py.TypeName(self)}.count", 1, 1);
            var needle = args[0];
            return PyNumber.Int(Iteration.Each(state, self).LongCount(item => PyCompare.Equal(item, needle)));
        },
        ["index"] = (state, self, args) =>
        {
            args.Take("index", 1, 3);
            var items = Iteration.ToArray(state, self);
            var from = args.Count > 1 ? Clamp(Py.Index(args[1]), items.Length) : 0;
            var to = args.Count > 2 ? Clamp(Py.Index(args[2]), items.Length) : items.Length;
            for (var i = from; i < to; i++)
            {
                if (PyCompare.Equal(items[i], args[0]))
                    return PyNumber.Int(i);
            }
            throw PyError.ValueError(self is PyTuple ? "tuple.index(x): x not in tuple" : $"{PyRepr.Repr(args[0])} is not in list");
        },
        ["copy"] = (_, self, args) =>
        {
            args.Take("list.copy", 0, 0);
            return self;
        },
    };

    private static int Clamp(int index, int length) => Math.Clamp(index < 0 ? index + length : index, 0, length);

    public static readonly Dictionary<string, Method> Int = new(StringComparer.Ordinal)
    {
        ["bit_length"] = (_, self, args) =>
        {
            args.Take("int.bit_length", 0, 0);
            return PyNumber.Int((long)System.Numerics.BigInteger.Abs(PyNumber.Big(self)).GetBitLength());
        },
        ["bit_count"] = (_, self, args) =>
        {
            args.Take("int.bit_count", 0, 0);
            return PyNumber.Int((long)System.Numerics.BigInteger.PopCount(System.Numerics.BigInteger.Abs(PyNumber.Big(self))));
        },
        ["conjugate"] = (_, self, _) => PyNumber.Int(PyNumber.Big(self)),
        ["as_integer_ratio"] = (_, self, _) => new PyTuple([PyNumber.Int(PyNumber.Big(self)), PyNumber.Int(1)]),
    };

    public static readonly Dictionary<string, Method> Float = new(StringComparer.Ordinal)
    {
        ["is_integer"] = (_, self, args) =>
        {
            args.Take("float.is_integer", 0, 0);
            return Py.Bool(Math.Floor((double)self) == (double)self);
        },
        ["conjugate"] = (_, self, _) => self,
    };
}
