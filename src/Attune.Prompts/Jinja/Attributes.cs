namespace Attune.Prompts.Jinja;

/// <summary>a.b and a[b], with the sandbox: nothing private, nothing that changes what the caller owns.</summary>
internal static class Attributes
{
    /// <summary>a.b: the attribute first, then the key.</summary>
    public static object? GetAttr(RenderState state, object? target, PyStr name)
    {
        if (TryAttribute(target, name.Text, out var value))
            return value;
        if (target is Undefined undefined)
            throw undefined.Fail();
        if (target is PyDict dict && dict.TryGet(name, out value))
            return value;
        return new Undefined(target, name);
    }

    /// <summary>a[b]: the key first, then the attribute.</summary>
    public static object? GetItem(RenderState state, object? target, object? index)
    {
        if (target is PyList list && index is long at && (ulong)(at < 0 ? at += list.Items.Length : at) < (ulong)list.Items.Length)
            return list.Items[at];
        if (target is Undefined undefined)
            throw undefined.Fail();
        if (TryItem(target, index, out var value))
            return value;
        if (index is PyStr name && TryAttribute(target, name.Text, out value))
            return value;
        return new Undefined(target, index);
    }

    public static bool TryItem(object? target, object? index, out object? value)
    {
        value = null;
        if (target is PyDict dict)
            return (index is not (PyList or PyDict)) && dict.TryGet(index, out value);
        if (!Py.TryIndex(index, out var at))
            return false;
        var length = target switch
        {
            PyStr s => s.Length,
            PyList l => l.Items.Length,
            PyTuple t => t.Items.Length,
            PyRange r => r.Length,
            _ => 0,
        };
        if (at < 0)
            at += length;
        if (at < 0 || at >= length)
            return false;
        value = target switch
        {
            PyStr s => s.At((int)at),
            PyList l => l.Items[at],
            PyTuple t => t.Items[at],
            _ => ((PyRange)target!).At(at),
        };
        return true;
    }

    private static bool TryAttribute(object? target, string name, out object? value)
    {
        value = Frame.Missing;
        if (name.StartsWith('_'))
        {
            if (!Methods.IsPython(target, name))
                return false;
            value = Undefined.Unsafe(target, name);
            return true;
        }
        switch (target)
        {
            case PyStr s:
                value = Bound(Methods.Str, s, name);
                break;
            case PyDict d:
                value = Methods.Mutating(isDict: true, name) ? Undefined.Unsafe(d, name) : Bound(Methods.Dict, d, name);
                break;
            case PyList l:
                value = Methods.Mutating(isDict: false, name) ? Undefined.Unsafe(l, name) : Bound(Methods.List, l, name);
                break;
            case PyTuple t:
                var at = t.Names is null ? -1 : Array.IndexOf(t.Names, name);
                value = at >= 0 ? t.Items[at] : Bound(Methods.List, t, name, but: "copy");
                break;
            case PyRange r:
                value = name switch
                {
                    "start" => PyNumber.Int(r.Start),
                    "stop" => PyNumber.Int(r.Stop),
                    "step" => PyNumber.Int(r.Step),
                    _ => Bound(Methods.List, r, name, but: "copy"),
                };
                break;
            case long or bool or System.Numerics.BigInteger:
                value = name switch
                {
                    "real" or "numerator" => PyNumber.Int(PyNumber.Big(target)),
                    "imag" => PyNumber.Int(0),
                    "denominator" => PyNumber.Int(1),
                    _ => Bound(Methods.Int, target, name),
                };
                break;
            case double d:
                value = name switch { "real" => d, "imag" => 0.0, _ => Bound(Methods.Float, d, name) };
                break;
            case LoopValue loop:
                loop.TryGet(name, out value);
                break;
            case MacroValue macro:
                macro.TryGet(name, out value);
                break;
            case Cycler cycler:
                cycler.TryGet(name, out value);
                break;
            case Namespace space:
                if (!space.TryGet(name, out value))
                    value = Frame.Missing;
                break;
        }
        return !ReferenceEquals(value, Frame.Missing);
    }

    private static object Bound(Dictionary<string, Method> methods, object self, string name, string? but = null) =>
        name != but && methods.TryGetValue(name, out var method) ? new BoundMethod(name, self, method) : Frame.Missing;

    public static object? Slice(RenderState state, object? target, object? start, object? stop, object? step)
    {
        if (target is Undefined undefined)
            throw undefined.Fail();
        if (target is not (PyStr or PyList or PyTuple or PyRange))
            throw PyError.TypeError(target is PyDict ? "unhashable type: 'slice'" : $"'{Py.TypeName(target)}' object is not subscriptable");
        var by = step is null ? 1 : SliceIndex(step);
        if (by == 0)
            throw PyError.ValueError("slice step cannot be zero");
        var length = target switch { PyStr s => s.Length, PyList l => l.Items.Length, PyTuple t => t.Items.Length, _ => (int)Math.Min(((PyRange)target).Length, int.MaxValue) };
        var from = Clamp(start, by > 0 ? 0 : length - 1);
        var to = Clamp(stop, by > 0 ? length : -1);
        var count = by > 0 ? to <= from ? 0 : (int)(((long)to - from - 1) / by) + 1 : from <= to ? 0 : (int)(((long)from - to - 1) / -(long)by) + 1;
        state.Charge(count);
        switch (target)
        {
            case PyStr text:
                return text.PySlice(from, to, by);
            case PyList list:
                return new PyList(Pick(list.Items), list.Origin);
            case PyTuple tuple:
                return new PyTuple(Pick(tuple.Items));
            default:
                var range = (PyRange)target;
                return new PyRange(range.Start + (from * range.Step), range.Start + (to * range.Step), range.Step * by);
        }

        int Clamp(object? bound, int otherwise)
        {
            if (bound is null)
                return otherwise;
            var index = SliceIndex(bound);
            if (index < 0)
                index += length;
            return by > 0 ? Math.Clamp(index, 0, length) : Math.Clamp(index, -1, length - 1);
        }

        object?[] Pick(object?[] items)
        {
            if (by == 1)
                return items[from..(from + count)];
            var picked = new object?[count];
            for (var i = 0; i < count; i++)
                picked[i] = items[from + (i * by)];
            return picked;
        }
    }

    private static int SliceIndex(object? value) =>
        Py.TryIndex(value, out var index)
            ? (int)Math.Clamp(index, int.MinValue / 2, int.MaxValue / 2)
            : throw PyError.TypeError("slice indices must be integers or None or have an __index__ method");
}
