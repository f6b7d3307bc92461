using System.Text;

namespace Attune.Prompts.Jinja;

/// <summary>str.maketrans and str.translate: code points by a table.</summary>
internal static class StrTranslate
{
    /// <summary>A table from a dict, or from two strings of one length, with a third of what is to go.</summary>
    public static PyDict Table(RenderState state, CallArgs args)
    {
        args.Take("maketrans", 1, 3);
        var table = new PyDictBuilder(4);
        if (args.Count == 1)
        {
            if (args[0] is not PyDict dict)
                throw PyError.TypeError("if you give only one argument to maketrans it must be a dict");
            for (var i = 0; i < dict.Count; i++)
            {
                table.Set(dict.KeyAt(i) switch
                {
                    PyStr { Length: 1 } one => PyNumber.Int(Rune.GetRuneAt(one.Text, 0).Value),
                    PyStr => throw PyError.ValueError("string keys in translate table must be of length 1"),
                    var key when PyNumber.IsInt(key) => key,
                    _ => throw PyError.TypeError("keys in translate table must be strings or integers"),
                }, dict.ValueAt(i));
            }
            return table.Build();
        }
        var (from, to) = (StrMethods.Arg(args[0], "first maketrans argument must be a string if there is a second argument, not "), StrMethods.Arg(args[1], "maketrans() argument 2 must be str, not "));
        if (from.Length != to.Length)
            throw PyError.ValueError("the first two maketrans arguments must have equal length");
        state.Charge(from.Length);
        foreach (var (left, right) in from.Text.EnumerateRunes().Zip(to.Text.EnumerateRunes()))
            table.Set(PyNumber.Int(left.Value), PyNumber.Int(right.Value));
        if (args.Count == 3)
        {
            foreach (var gone in StrMethods.Arg(args[2], "maketrans() argument 3 must be str, not ").Text.EnumerateRunes())
                table.Set(PyNumber.Int(gone.Value), null);
        }
        return table.Build();
    }

    /// <summary>Each code point as the table has it: a number, a text, or None for none; what the table lacks stays.</summary>
    public static PyStr Apply(RenderState state, PyStr text, object? table)
    {
        if (table is not (PyDict or PyList or PyTuple or PyStr))
            throw table is Undefined u ? u.Fail() : PyError.TypeError($"'{Py.TypeName(table)}' object is not subscriptable");
        var to = state.NewText();
        for (var i = 0; i < text.Text.Length;)
        {
            var rune = Rune.GetRuneAt(text.Text, i);
            if (!Attributes.TryItem(table, PyNumber.Int(rune.Value), out var found))
                to.Append(text, i, rune.Utf16SequenceLength);
            else if (found is PyStr other)
                to.Append(other);
            else if (PyNumber.IsInt(found))
                to.Append(Character(Py.Index(found)), Origin.Computed);
            else if (found is not null)
                throw PyError.TypeError("character mapping must return integer, None or str");
            i += rune.Utf16SequenceLength;
        }
        state.Charge(to.Length);
        return to.ToPyStr();
    }

    private static string Character(int code) => Rune.IsValid(code) ? new Rune(code).ToString()
        : throw PyError.ValueError("character mapping must be in range(0x110000)");
}
