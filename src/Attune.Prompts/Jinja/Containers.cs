namespace Attune.Prompts.Jinja;

/// <summary>A list. Its origin is who brought it: the brackets that printing it makes are that one's text.</summary>
internal sealed class PyList(object?[] items, Origin? origin = null)
{
    public readonly object?[] Items = items;
    public readonly Origin? Origin = origin;
}

/// <summary>A tuple; groupby's also goes by names.</summary>
internal sealed class PyTuple(object?[] items, string[]? names = null)
{
    public readonly object?[] Items = items;
    public readonly string[]? Names = names;
}

internal sealed class PyRange(long start, long stop, long step)
{
    public readonly long Start = start;
    public readonly long Stop = stop;
    public readonly long Step = step;

    /// <summary>How many, at most long.MaxValue.</summary>
    public readonly long Length = (Int128)step > 0
        ? start >= stop ? 0 : (long)Int128.Min((((Int128)stop - start - 1) / step) + 1, long.MaxValue)
        : start <= stop ? 0 : (long)Int128.Min((((Int128)start - stop - 1) / -(Int128)step) + 1, long.MaxValue);

    public object At(long index) => PyNumber.Int(Start + (index * Step));
}

/// <summary>keys(), values() or items() of a dict.</summary>
internal sealed class PyView(PyDict dict, string kind)
{
    public readonly PyDict Dict = dict;
    public readonly string Kind = kind;

    public object? At(int index) => Kind switch
    {
        "keys" => Dict.KeyAt(index),
        "values" => Dict.ValueAt(index),
        _ => new PyTuple([Dict.KeyAt(index), Dict.ValueAt(index)]),
    };
}

/// <summary>A lazy sequence that can be read once: what map, select and their kin give.</summary>
internal sealed class PyGenerator(string name, IEnumerable<object?> items)
{
    public readonly string Name = name;
    public readonly PyIter Iterator = new(items.GetEnumerator());
}

/// <summary>One pass over anything that Python iterates.</summary>
internal sealed class PyIter
{
    private readonly object?[]? _items;
    private readonly IEnumerator<object?>? _source;
    private int _next;

    public PyIter(object?[] items)
    {
        _items = items;
        KnownLength = items.Length;
    }

    public PyIter(IEnumerator<object?> source, int knownLength = -1)
    {
        _source = source;
        KnownLength = knownLength;
    }

    /// <summary>Length of the whole, or -1 where only reading it tells.</summary>
    public int KnownLength { get; }

    public bool Next(out object? item)
    {
        if (_items is not null)
        {
            var more = _next < _items.Length;
            item = more ? _items[_next++] : null;
            return more;
        }
        var moved = _source!.MoveNext();
        item = moved ? _source.Current : null;
        return moved;
    }

    public object?[] Rest(RenderState state)
    {
        var rest = new List<object?>();
        while (Next(out var item))
        {
            state.Charge(1);
            rest.Add(item);
        }
        return [.. rest];
    }

    public static PyIter Of(RenderState state, object? value) => value switch
    {
        PyList l => new(l.Items),
        PyTuple t => new(t.Items),
        PyGenerator g => g.Iterator,
        PyDict d => new(d.Keys.ToArray()),
        PyStr s => new(Iteration.Characters(s).GetEnumerator(), s.Length),
        PyRange r => new(Iteration.Range(r).GetEnumerator(), (int)Math.Min(r.Length, int.MaxValue)),
        PyView v => new(Iteration.View(v).GetEnumerator(), v.Dict.Count),
        Undefined => new(Array.Empty<object?>()),
        LoopValue l => new(Iteration.Loop(l).GetEnumerator()),
        _ => throw PyError.TypeError($"'{Py.TypeName(value)}' object is not iterable"),
    };
}

internal static class Iteration
{
    public static bool IsIterable(object? value) => value is PyStr or PyList or PyTuple or PyDict or PyRange or PyView or PyGenerator or Undefined or LoopValue;

    public static IEnumerable<object?> Characters(PyStr text)
    {
        for (var i = 0; i < text.Text.Length; )
        {
            var length = char.IsHighSurrogate(text.Text[i]) && i + 1 < text.Text.Length ? 2 : 1;
            yield return text.Range(i, length).WithMarkup(false);
            i += length;
        }
    }

    public static IEnumerable<object?> Range(PyRange range)
    {
        for (long i = 0; i < range.Length; i++)
            yield return range.At(i);
    }

    public static IEnumerable<object?> View(PyView view)
    {
        for (var i = 0; i < view.Dict.Count; i++)
            yield return view.At(i);
    }

    public static IEnumerable<object?> Loop(LoopValue loop)
    {
        while (loop.Next(out var item))
            yield return new PyTuple([item, loop]);
    }

    public static object?[] ToArray(RenderState state, object? value)
    {
        var items = value switch
        {
            PyList l => l.Items,
            PyTuple t => t.Items,
            _ => PyIter.Of(state, value).Rest(state),
        };
        state.Charge(items.Length);
        return items;
    }

    /// <summary>Lazily, a step a time.</summary>
    public static IEnumerable<object?> Each(RenderState state, object? value)
    {
        var iterator = PyIter.Of(state, value);
        return Steps();

        IEnumerable<object?> Steps()
        {
            while (iterator.Next(out var item))
            {
                state.Step();
                yield return item;
            }
        }
    }

    /// <summary>Exactly so many values, as <c>a, b = value</c> takes them.</summary>
    public static object?[] Unpack(RenderState state, object? value, int count)
    {
        if (value is PyTuple { Items.Length: var exact } tuple && exact == count)
            return tuple.Items;
        if (!IsIterable(value))
            throw PyError.TypeError($"cannot unpack non-iterable {Py.TypeName(value)} object");
        var iterator = PyIter.Of(state, value);
        var items = new object?[count];
        for (var i = 0; i < count; i++)
        {
            if (!iterator.Next(out items[i]))
                throw PyError.ValueError(FormattableString.Invariant($"not enough values to unpack (expected {count}, got {i})"));
        }
        return iterator.Next(out _) ? throw PyError.ValueError(FormattableString.Invariant($"too many values to unpack (expected {count})")) : items;
    }
}
