using System.Numerics;
using System.Runtime.CompilerServices;

namespace Attune.Prompts.Jinja;

/// <summary>Equality, order and membership as Python has them.</summary>
internal static class PyCompare
{
    /// <summary>Equality of dict keys, with None stored as <see cref="Frame.Missing"/>.</summary>
    public static readonly IEqualityComparer<object> Keys = new KeyComparer();

    private sealed class KeyComparer : IEqualityComparer<object>
    {
        public new bool Equals(object? x, object? y) => Equal(Unwrap(x), Unwrap(y));

        public int GetHashCode(object value) => Hash(Unwrap(value));

        private static object? Unwrap(object? value) => ReferenceEquals(value, Frame.Missing) ? null : value;
    }

    public static bool Equal(object? left, object? right)
    {
        if (left is PyStr text && right is PyStr other)
            return text.Text == other.Text;
        if (ReferenceEquals(left, right))
            return left is not double d || !double.IsNaN(d);
        switch (left)
        {
            case null:
                return false;
            case PyStr:
                return false;
            case long or bool or double or BigInteger:
                return PyNumber.Compare(left, right) == 0;
            case Undefined:
                return right is Undefined;
            case PyList a:
                return right is PyList l && Equal(a.Items, l.Items);
            case PyTuple a:
                return right is PyTuple t && Equal(a.Items, t.Items);
            case PyDict a:
                return right is PyDict d2 && Equal(a, d2);
            case PyRange a:
                return right is PyRange r && a.Length == r.Length && (a.Length == 0 || (a.Start == r.Start && (a.Length == 1 || a.Step == r.Step)));
            case PyView { Kind: not "values" } a:
                return right is PyView { Kind: not "values" } v && a.Dict.Count == v.Dict.Count && Iteration.View(a).All(x => Iteration.View(v).Any(y => Equal(x, y)));
            case BoundMethod a:
                return right is BoundMethod m && ReferenceEquals(a.Self, m.Self) && a.Name == m.Name;
            case TypeValue a:
                return right is TypeValue tv && a.Name == tv.Name;
            default:
                return false;
        }
    }

    private static bool Equal(object?[] left, object?[] right)
    {
        if (left.Length != right.Length)
            return false;
        Guard();
        for (var i = 0; i < left.Length; i++)
        {
            if (!Equal(left[i], right[i]))
                return false;
        }
        return true;
    }

    private static bool Equal(PyDict left, PyDict right)
    {
        if (left.Count != right.Count)
            return false;
        Guard();
        for (var i = 0; i < left.Count; i++)
        {
            if (!right.TryGet(left.KeyAt(i), out var other) || !Equal(left.ValueAt(i), other))
                return false;
        }
        return true;
    }

    /// <summary>Deep nesting must end in an error, never in a lost process.</summary>
    public static void Guard()
    {
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw PyError.Limit("The values are nested too deeply.");
    }

    public static int Hash(object? value)
    {
        switch (value)
        {
            case null:
                return 7;
            case PyStr s:
                return s.Hash;
            case bool b:
                return b ? 1 : 0;
            case long n:
                return n.GetHashCode();
            case BigInteger n:
                return n.GetHashCode();
            case double d:
                return Math.Abs(d) < 9e18 && Math.Floor(d) == d ? ((long)d).GetHashCode() : d == Math.Floor(d) && !double.IsInfinity(d) ? new BigInteger(d).GetHashCode() : d.GetHashCode();
            case PyTuple t:
                Guard();
                var hash = default(HashCode);
                foreach (var item in t.Items)
                    hash.Add(Hash(item));
                return hash.ToHashCode();
            case PyList or PyDict:
                throw PyError.TypeError($"unhashable type: '{Py.TypeName(value)}'");
            case Undefined:
                return 11;
            default:
                return RuntimeHelpers.GetHashCode(value);
        }
    }

    public static bool Order(CompareOp op, object? left, object? right) => op switch
    {
        CompareOp.Less => Less(left, right, "<"),
        CompareOp.Greater => Less(right, left, ">", swapped: true),
        CompareOp.LessOrEqual => LessOrEqual(left, right, "<="),
        _ => LessOrEqual(right, left, ">=", swapped: true),
    };

    private static bool Less(object? left, object? right, string op, bool swapped = false) => Compare(left, right, op, swapped, out var unordered) < 0 && !unordered;

    private static bool LessOrEqual(object? left, object? right, string op, bool swapped = false) => Compare(left, right, op, swapped, out var unordered) <= 0 && !unordered;

    /// <summary>Three-way, for sorting: Python's sort asks only for &lt;.</summary>
    public static int Sort(object? left, object? right) =>
        Compare(left, right, "<", swapped: false, out var unordered) is var order && unordered ? 0 : order;

    private static int Compare(object? left, object? right, string op, bool swapped, out bool unordered)
    {
        unordered = false;
        if (left is PyStr a && right is PyStr b)
            return CompareText(a.Text, b.Text);
        if (PyNumber.Is(left) && PyNumber.Is(right))
        {
            unordered = left is double.NaN || right is double.NaN;
            return PyNumber.Compare(left, right);
        }
        if (left is PyList l && right is PyList l2)
            return CompareItems(l.Items, l2.Items, op, swapped, out unordered);
        if (left is PyTuple t && right is PyTuple t2)
            return CompareItems(t.Items, t2.Items, op, swapped, out unordered);
        if ((left as Undefined ?? right as Undefined) is { } undefined)
            throw undefined.Fail();
        var (first, second) = swapped ? (right, left) : (left, right);
        throw PyError.TypeError($"'{op}' not supported between instances of '{Py.TypeName(first)}' and '{Py.TypeName(second)}'");
    }

    private static int CompareItems(object?[] left, object?[] right, string op, bool swapped, out bool unordered)
    {
        unordered = false;
        Guard();
        for (var i = 0; i < left.Length && i < right.Length; i++)
        {
            if (!Equal(left[i], right[i]))
                return Compare(left[i], right[i], op, swapped, out unordered);
        }
        return left.Length.CompareTo(right.Length);
    }

    /// <summary>By code point, which UTF-16 order is not above U+FFFF.</summary>
    public static int CompareText(string a, string b)
    {
        for (var i = 0; i < a.Length && i < b.Length; i++)
        {
            if (a[i] == b[i])
                continue;
            var (x, y) = (char.IsSurrogate(a[i]), char.IsSurrogate(b[i]));
            return x == y ? a[i].CompareTo(b[i]) : x ? 1 : -1;
        }
        return a.Length.CompareTo(b.Length);
    }

    public static bool Contains(RenderState state, object? container, object? item)
    {
        switch (container)
        {
            case PyStr text:
                return item is PyStr part ? text.Text.Contains(part.Text, StringComparison.Ordinal)
                    : throw PyError.TypeError($"'in <string>' requires string as left operand, not {Py.TypeName(item)}");
            case PyDict dict:
                return dict.TryGet(item, out _);
            case PyList list:
                return Any(state, list.Items, item);
            case PyTuple tuple:
                return Any(state, tuple.Items, item);
            case PyView { Kind: "keys" } view:
                return view.Dict.TryGet(item, out _);
            case PyRange range when Py.TryIndex(item, out var n):
                return range.Step > 0 ? n >= range.Start && n < range.Stop && (n - range.Start) % range.Step == 0
                    : n <= range.Start && n > range.Stop && (range.Start - n) % -range.Step == 0;
            default:
                if (!Iteration.IsIterable(container))
                    throw PyError.TypeError($"argument of type '{Py.TypeName(container)}' is not iterable");
                foreach (var candidate in Iteration.Each(state, container))
                {
                    if (Equal(candidate, item))
                        return true;
                }
                return false;
        }
    }

    private static bool Any(RenderState state, object?[] items, object? item)
    {
        state.Steps(items.Length / 8);
        foreach (var candidate in items)
        {
            if (Equal(candidate, item))
                return true;
        }
        return false;
    }
}
