using System.Buffers;
using System.Globalization;
using System.Numerics;

namespace Attune.Prompts.Jinja;

/// <summary>json.dumps as the chat templates' tojson calls it. What it writes has the origin of what it came from.</summary>
internal sealed class JsonDump(RenderState state, TextBuilder to, bool ascii, string? indent, string comma, string colon, bool sort)
{
    public static PyStr Dump(RenderState state, object? value, CallArgs args)
    {
        var to = state.NewText();
        DumpTo(state, value, args, to);
        return state.Finish(to);
    }

    public static void DumpTo(RenderState state, object? value, CallArgs args, TextBuilder to)
    {
        var start = to.Mark();
        if (args.IsEmpty)
            new JsonDump(state, to, ascii: false, indent: null, ", ", ": ", sort: false).Write(value, 0, null);
        else
            Formatted(state, value, args, to);
        state.Charge(to.Length - start.Length);
    }

    private static void Formatted(RenderState state, object? value, CallArgs args, TextBuilder to)
    {
        var bound = args.After(value).Bind("tojson", 1, "x", "ensure_ascii", "indent", "separators", "sort_keys");
        var indent = Given(2) switch
        {
            null => null,
            PyStr s => s.Text,
            var n => new string(' ', Math.Clamp(Py.Index(n), 0, 1000)),
        };
        var (comma, colon) = (indent is null ? ", " : ",", ": ");
        if (Given(3) is { } separators)
        {
            var pair = Iteration.Unpack(state, separators, 2);
            (comma, colon) = (StrMethods.Arg(pair[0]).Text, StrMethods.Arg(pair[1]).Text);
        }
        var start = to.Mark();
        var dump = new JsonDump(state, to, Given(1) is { } ascii && Py.Truth(ascii), indent, comma, colon, Given(4) is { } sort && Py.Truth(sort));
        dump.Write(value, 0, null);
        // What stands between the values is the caller's too where the caller chose it.
        if (Given(2) is not PyStr { FromCaller: true } && !(Given(3) is { } between && Iteration.ToArray(state, between).Any(s => s is PyStr { FromCaller: true })))
            return;
        var text = to.Since(start).Text;
        to.Rewind(start);
        to.Append(text, Origin.Computed);

        object? Given(int index) => ReferenceEquals(bound[index], Frame.Missing) ? null : bound[index];
    }

    private void Write(object? value, int depth, Origin? origin)
    {
        state.Step();
        switch (value)
        {
            case null:
                to.Append("null", origin);
                break;
            case bool b:
                to.Append(b ? "true" : "false", origin);
                break;
            case long n:
                to.Append(n.ToString(CultureInfo.InvariantCulture), origin);
                break;
            case BigInteger n:
                to.Append(PyNumber.IntText(n), origin);
                break;
            case double d:
                to.Append(FloatText(d), origin);
                break;
            case PyStr s:
                String(s);
                break;
            case PyList l:
                Items(l.Items, depth, l.Origin ?? origin);
                break;
            case PyTuple t:
                Items(t.Items, depth, origin);
                break;
            case PyDict d:
                Dict(d, depth, d.Origin ?? origin);
                break;
            default:
                throw PyError.TypeError($"Object of type {Py.TypeName(value)} is not JSON serializable");
        }
    }

    private static string FloatText(double value) => double.IsNaN(value) ? "NaN" : double.IsInfinity(value) ? value > 0 ? "Infinity" : "-Infinity" : PyNumber.FloatText(value);

    private void Items(object?[] items, int depth, Origin? origin)
    {
        PyCompare.Guard();
        to.Append(items.Length == 0 ? "[]" : "[", origin);
        if (items.Length == 0)
            return;
        for (var i = 0; i < items.Length; i++)
        {
            if (i > 0)
                to.Append(comma, origin);
            Line(depth + 1, origin);
            Write(items[i], depth + 1, origin);
        }
        Line(depth, origin);
        to.Append("]", origin);
    }

    private void Dict(PyDict dict, int depth, Origin? origin)
    {
        PyCompare.Guard();
        to.Append(dict.Count == 0 ? "{}" : "{", origin);
        if (dict.Count == 0)
            return;
        var order = sort ? Sorted(dict) : null;
        for (var i = 0; i < dict.Count; i++)
        {
            var at = order is null ? i : (int)(long)order[i]!;
            if (i > 0)
                to.Append(comma, origin);
            Line(depth + 1, origin);
            Key(dict.KeyAt(at), origin);
            to.Append(colon, origin);
            Write(dict.ValueAt(at), depth + 1, origin);
        }
        Line(depth, origin);
        to.Append("}", origin);
    }

    private object?[] Sorted(PyDict dict) =>
        Sorting.Sort(state, [.. Enumerable.Range(0, dict.Count).Select(i => (object?)(long)i)], i => dict.KeyAt((int)(long)i!), reverse: false);

    private void Key(object? key, Origin? origin)
    {
        if (key is PyStr text)
        {
            String(text);
            return;
        }
        var name = key switch
        {
            null => "null",
            bool b => b ? "true" : "false",
            double d => FloatText(d),
            long or BigInteger => PyNumber.IntText(PyNumber.Big(key)),
            _ => throw PyError.TypeError($"keys must be str, int, float, bool or None, not {Py.TypeName(key)}"),
        };
        String(new PyStr(name, origin));
    }

    private void Line(int depth, Origin? origin)
    {
        if (indent is null)
            return;
        to.Append('\n', origin);
        for (var i = 0; i < depth; i++)
            to.Append(indent, origin);
    }

    // What JSON writes otherwise than it is: seldom more than a line end in a whole text.
    private static readonly SearchValues<char> Escaped = SearchValues.Create(['"', '\\', .. Enumerable.Range(0, ' ').Select(c => (char)c)]);

    // …and what it writes as it is where only ASCII is wanted; DEL is among it, as in Python.
    private static readonly SearchValues<char> PlainAscii = SearchValues.Create(
        [.. Enumerable.Range(' ', 0x60).Select(c => (char)c).Where(c => c is not ('"' or '\\'))]);

    private void String(PyStr value)
    {
        to.Append('"', value.OriginOfStart);
        if (value.Runs is null)
            Piece(value.Text, value.Origin);
        else
            Pieces(value, value.Runs);
        to.Append('"', value.OriginOfStart);
    }

    private void Pieces(PyStr value, Run[] runs)
    {
        var start = 0;
        foreach (var run in runs)
        {
            Piece(value.Text.AsSpan(start, run.End - start), run.Origin);
            start = run.End;
        }
    }

    private void Piece(ReadOnlySpan<char> text, Origin? origin)
    {
        while (true)
        {
            var at = ascii ? text.IndexOfAnyExcept(PlainAscii) : text.IndexOfAny(Escaped);
            if (at < 0)
                break;
            to.Append(text[..at], origin);
            to.Append(Escape(text[at]), origin);
            text = text[(at + 1)..];
        }
        to.Append(text, origin);
    }

    private static string Escape(char c) => c switch
    {
        '"' => "\\\"",
        '\\' => "\\\\",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\f' => "\\f",
        '\b' => "\\b",
        _ => FormattableString.Invariant($"\\u{(int)c:x4}"),
    };
}
