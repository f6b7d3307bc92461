namespace Attune.Prompts.Jinja;

/// <summary>Filters over sequences and dicts.</summary>
internal static class SequenceFilters
{
    public static long Length(object? value) => value switch
    {
        PyStr s => s.Length,
        PyList l => l.Items.Length,
        PyTuple t => t.Items.Length,
        PyDict d => d.Count,
        PyRange r => r.Length,
        PyView v => v.Dict.Count,
        LoopValue l => l.Length,
        Undefined => 0,
        _ => throw PyError.TypeError($"object of type '{Py.TypeName(value)}' has no len()"),
    };

    public static object? Attr(RenderState state, object? value, PyStr name)
    {
        // Only attributes: a dict's keys are not reached this way.
        if (value is PyDict && !Methods.Dict.ContainsKey(name.Text) && !Methods.Mutating(isDict: true, name.Text) && !Methods.IsPython(value, name.Text))
            return new Undefined(value, name);
        return Attributes.GetAttr(state, value, name);
    }

    private static object?[]? Reversible(RenderState state, object? value) =>
        value is PyStr or PyList or PyTuple or PyDict or PyRange or PyView or Undefined ? Iteration.ToArray(state, value) : null;

    public static object? Last(RenderState state, object? value)
    {
        switch (value)
        {
            case PyList { Items: [.., var last] }:
                return last;
            case PyStr { Text.Length: > 0 } text:
                return text.At(text.Length - 1);
        }
        var items = Reversible(state, value) ?? throw PyError.TypeError($"'{Py.TypeName(value)}' object is not reversible");
        return items.Length > 0 ? items[^1] : new Undefined("No last item, sequence was empty.", null);
    }

    /// <summary>Not random here: the first item, so that a render is the same each time.</summary>
    public static object? Random(RenderState state, object? value)
    {
        if (value is PyGenerator)
            throw PyError.TypeError($"object of type '{Py.TypeName(value)}' has no len()");
        return Length(value) == 0 ? new Undefined("No random item, sequence was empty.", null) : Attributes.GetItem(state, value, 0L);
    }

    public static object? Reverse(RenderState state, object? value)
    {
        if (value is PyStr text)
            return Attributes.Slice(state, text, null, null, -1L);
        if (!Iteration.IsIterable(value))
            throw PyError.FilterArgument("argument must be iterable");
        var items = Iteration.ToArray(state, value);
        return new PyGenerator("reversed", items.Reverse());
    }

    public static object? Items(RenderState state, object? value)
    {
        return new PyGenerator("do_items", Entries());

        IEnumerable<object?> Entries()
        {
            if (value is Undefined)
                yield break;
            if (value is not PyDict dict)
                throw PyError.TypeError("Can only get item pairs from a mapping.");
            for (var i = 0; i < dict.Count; i++)
            {
                state.Step();
                yield return new PyTuple([dict.KeyAt(i), dict.ValueAt(i)]);
            }
        }
    }

    public static PyStr Join(RenderState state, object? value, PyStr separator, object? attribute)
    {
        var get = attribute is null ? null : AttributePath.Getter(state, attribute);
        var to = state.NewText();
        var first = true;
        foreach (var item in Iteration.Each(state, value))
        {
            if (!first)
                to.Append(separator);
            first = false;
            var printed = get is null ? item : get(item);
            to.Append(printed as PyStr ?? PyRepr.Str(state, printed));
        }
        state.Charge(to.Length);
        return state.Finish(to);
    }

    public static PyList DictSort(RenderState state, object? value, bool caseSensitive, object? by, bool reverse)
    {
        var position = (by as PyStr)?.Text switch
        {
            "key" => 0,
            "value" => 1,
            _ => throw PyError.FilterArgument("You can only sort by either \"key\" or \"value\""),
        };
        if (value is not PyDict dict)
            throw value is Undefined u ? u.Fail() : new PyError("AttributeError", $"'{Py.TypeName(value)}' object has no attribute 'items'");
        var items = new object?[dict.Count];
        for (var i = 0; i < items.Length; i++)
            items[i] = new PyTuple([dict.KeyAt(i), dict.ValueAt(i)]);
        return new PyList(Sorting.Sort(state, items, item => ((PyTuple)item!).Items[position] is PyStr text && !caseSensitive
            ? CaseMapping.Lower(state, text) : ((PyTuple)item!).Items[position], reverse));
    }

    public static PyList Sort(RenderState state, object? value, bool reverse, bool caseSensitive, object? attribute) =>
        new(Sorting.Sort(state, Iteration.ToArray(state, value), AttributePath.MultiGetter(state, attribute, !caseSensitive), reverse));

    public static PyGenerator Unique(RenderState state, object? value, bool caseSensitive, object? attribute)
    {
        return new PyGenerator("sync_do_unique", Items());

        IEnumerable<object?> Items()
        {
            var get = AttributePath.Getter(state, attribute, ignoreCase: !caseSensitive);
            var seen = new HashSet<object>(PyCompare.Keys);
            foreach (var item in Iteration.Each(state, value))
            {
                if (seen.Add(get(item) ?? Frame.Missing))
                    yield return item;
            }
        }
    }

    public static object? Extreme(RenderState state, object? value, bool caseSensitive, object? attribute, CompareOp op)
    {
        var get = AttributePath.Getter(state, attribute, ignoreCase: !caseSensitive);
        object? best = null, bestKey = Frame.Missing;
        foreach (var item in Iteration.Each(state, value))
        {
            var key = get(item);
            if (ReferenceEquals(bestKey, Frame.Missing) || PyCompare.Order(op, key, bestKey))
                (best, bestKey) = (item, key);
        }
        return ReferenceEquals(bestKey, Frame.Missing) ? new Undefined("No aggregated item, sequence was empty.", null) : best;
    }

    public static PyList GroupBy(RenderState state, object? value, object? attribute, object? otherwise, bool caseSensitive)
    {
        var get = AttributePath.Getter(state, attribute, otherwise, ignoreCase: !caseSensitive);
        var real = AttributePath.Getter(state, attribute, otherwise);
        var groups = new List<object?>();
        var group = new List<object?>();
        object? key = null;
        foreach (var item in Sorting.Sort(state, Iteration.ToArray(state, value), get, reverse: false))
        {
            var next = get(item);
            if (group.Count > 0 && !PyCompare.Equal(next, key))
                Close();
            key = next;
            group.Add(item);
        }
        if (group.Count > 0)
            Close();
        return new PyList([.. groups]);

        void Close()
        {
            groups.Add(new PyTuple([caseSensitive ? key : real(group[0]), new PyList([.. group])], ["grouper", "list"]));
            group.Clear();
        }
    }

    public static object? Sum(RenderState state, object? value, object? attribute, object? start)
    {
        if (start is PyStr)
            throw PyError.TypeError("sum() can't sum strings [use ''.join(seq) instead]");
        var get = attribute is null ? null : AttributePath.Getter(state, attribute);
        foreach (var item in Iteration.Each(state, value))
            start = Arithmetic.Add(state, start, get is null ? item : get(item));
        return start;
    }

    public static PyGenerator Batch(RenderState state, object? value, int size, object? fill)
    {
        return new PyGenerator("do_batch", Items());

        IEnumerable<object?> Items()
        {
            var row = new List<object?>();
            foreach (var item in Iteration.Each(state, value))
            {
                if (row.Count == size)
                {
                    yield return new PyList([.. row]);
                    row.Clear();
                }
                row.Add(item);
            }
            if (row.Count == 0)
                yield break;
            if (fill is not null && size > row.Count)
            {
                state.Charge(size);
                row.AddRange(Enumerable.Repeat(fill, size - row.Count));
            }
            yield return new PyList([.. row]);
        }
    }

    public static PyGenerator Slices(RenderState state, object? value, int count, object? fill)
    {
        return new PyGenerator("sync_do_slice", Items());

        IEnumerable<object?> Items()
        {
            var items = Iteration.ToArray(state, value);
            if (count == 0)
                throw new PyError("ZeroDivisionError", "integer division or modulo by zero");
            state.Charge(Math.Max(count, 0));
            var (size, extra) = count > 0 ? Math.DivRem(items.Length, count) : (0, 0);
            var offset = 0;
            for (var i = 0; i < count; i++)
            {
                var start = offset + (i * size);
                if (i < extra)
                    offset++;
                var part = items[start..(offset + ((i + 1) * size))];
                yield return new PyList(fill is not null && i >= extra ? [.. part, fill] : part);
            }
        }
    }
}
