namespace Attune.Prompts.Jinja;

/// <summary>Python's sorted: stable, with Python's errors for what has no order.</summary>
internal static class Sorting
{
    public static object?[] Sort(RenderState state, object?[] items, Func<object?, object?> key, bool reverse)
    {
        var keys = new object?[items.Length];
        for (var i = 0; i < keys.Length; i++)
            keys[i] = key(items[i]);
        var order = new int[items.Length];
        for (var i = 0; i < order.Length; i++)
            order[i] = i;
        Merge(state, keys, order, new int[order.Length], 0, order.Length, reverse ? -1 : 1);
        return [.. order.Select(i => items[i])];
    }

    private static void Merge(RenderState state, object?[] keys, int[] order, int[] buffer, int from, int to, int sign)
    {
        if (to - from < 2)
            return;
        var middle = (from + to) / 2;
        Merge(state, keys, order, buffer, from, middle, sign);
        Merge(state, keys, order, buffer, middle, to, sign);
        var (left, right) = (from, middle);
        for (var i = from; i < to; i++)
        {
            state.Step();
            var takeRight = left >= middle || (right < to && sign * PyCompare.Sort(keys[order[right]], keys[order[left]]) < 0);
            buffer[i] = order[takeRight ? right++ : left++];
        }
        Array.Copy(buffer, from, order, from, to - from);
    }
}
