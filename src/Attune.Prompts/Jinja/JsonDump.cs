using System.Globalization;
using System.Numerics;

namespace Attune.Prompts.Jinja;

/// <summary>json.dumps as the chat templates' tojson calls it. What it writes has the origin of what it came from.</summary>
internal sealed class JsonDump(RenderState state, TextBuilder to, bool ascii, string? indent, string comma, string colon, bool sort)
{
    public static PyStr Dump(RenderState state, object? value, CallArgs args)
    {
        var bound = new CallArgs([value, .. args.Positional], args.Named).Bind("tojson", 1, "x", "ensure_ascii", "indent", "separators", "sort_keys");
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
        var to = state.NewText();
        var dump = new JsonDump(state, to, Given(1) is { } ascii && Py.Truth(ascii), indent, comma, colon, Given(4) is { } sort && Py.Truth(sort));
        dump.Write(value, 0, null);
        state.Charge(to.Length);
        // What stands between the values is the caller's too where the caller chose it.
        return Given(2) is PyStr { FromCaller: true } || (Given(3) is { } between && Iteration.ToArray(state, between).Any(s => s is PyStr { FromCaller: true }))
            ? new PyStr(to.Chars.ToString(), Origin.Computed)
            : to.ToPyStr();

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
        IEnumerable<int> order = Enumerable.Range(0, dict.Count);
        if (sort)
            order = Sorting.Sort(state, [.. order.Select(i => (object?)(long)i)], i => dict.KeyAt((int)(long)i!), reverse: false).Select(i => (int)(long)i!);
        var first = true;
        foreach (var i in order)
        {
            if (!first)
                to.Append(comma, origin);
            first = false;
            Line(depth + 1, origin);
            String(dict.KeyAt(i) switch
            {
                PyStr s => s,
                null => new PyStr("null", origin),
                bool b => new PyStr(b ? "true" : "false", origin),
                double d => new PyStr(FloatText(d), origin),
                long or BigInteger => new PyStr(PyNumber.IntText(PyNumber.Big(dict.KeyAt(i))), origin),
                var key => throw PyError.TypeError($"keys must be str, int, float, bool or None, not {Py.TypeName(key)}"),
            });
            to.Append(colon, origin);
            Write(dict.ValueAt(i), depth + 1, origin);
        }
        Line(depth, origin);
        to.Append("}", origin);
    }

    private void Line(int depth, Origin? origin)
    {
        if (indent is null)
            return;
        to.Append('\n', origin);
        for (var i = 0; i < depth; i++)
            to.Append(indent, origin);
    }

    private void String(PyStr value)
    {
        var s = value.Text;
        to.Append('"', value.OriginOfStart);
        var plain = 0;
        for (var i = 0; i < s.Length; i++)
        {
            var escape = s[i] switch
            {
                '"' => "\\\"",
                '\\' => "\\\\",
                '\n' => "\\n",
                '\r' => "\\r",
                '\t' => "\\t",
                '\f' => "\\f",
                '\b' => "\\b",
                < ' ' => FormattableString.Invariant($"\\u{(int)s[i]:x4}"),
                > '~' when ascii && s[i] != '\x7f' => FormattableString.Invariant($"\\u{(int)s[i]:x4}"),
                _ => null,
            };
            if (escape is null)
                continue;
            to.Append(value, plain, i - plain);
            to.Append(escape, value.OriginAt(i));
            plain = i + 1;
        }
        to.Append(value, plain, s.Length - plain);
        to.Append('"', value.OriginOfStart);
    }
}
