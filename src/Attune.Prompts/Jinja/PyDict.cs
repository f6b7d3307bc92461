namespace Attune.Prompts.Jinja;

/// <summary>
/// A dict, in the order of insertion. Its keys' hashes lie side by side: a small one is found by running over them,
/// a larger one through buckets. Strings know their hash, so that a name in a template is hashed once.
/// </summary>
internal sealed class PyDict
{
    public static readonly PyDict Empty = new PyDictBuilder(0).Build();

    private readonly object?[] _keys;
    private readonly object?[] _values;
    private readonly int[] _hashes;
    private readonly int[]? _buckets;

    internal PyDict(object?[] keys, object?[] values, int[] hashes, int[]? buckets, int count, Origin? origin)
    {
        _keys = keys;
        _values = values;
        _hashes = hashes;
        _buckets = buckets;
        Count = count;
        Origin = origin;
    }

    public Origin? Origin { get; }

    public int Count { get; }

    public object? KeyAt(int index) => _keys[index];

    public object? ValueAt(int index) => _values[index];

    public ReadOnlySpan<object?> Keys => _keys.AsSpan(0, Count);

    public ReadOnlySpan<object?> Values => _values.AsSpan(0, Count);

    public bool TryGet(PyStr key, out object? value)
    {
        var at = _buckets is null ? Search(key.Text, key.Hash) : DictIndex.Find(_keys, _hashes, _buckets, Count, key, key.Hash);
        value = at >= 0 ? _values[at] : null;
        return at >= 0;
    }

    private int Search(string key, int hash)
    {
        var hashes = _hashes.AsSpan(0, Count);
        for (var i = 0; i < hashes.Length; i++)
        {
            if (hashes[i] == hash && _keys[i] is PyStr held && held.Text == key)
                return i;
        }
        return -1;
    }

    public bool TryGet(object? key, out object? value)
    {
        var at = DictIndex.Find(_keys, _hashes, _buckets, Count, key, PyCompare.Hash(key));
        value = at >= 0 ? _values[at] : null;
        return at >= 0;
    }
}

/// <summary>Puts a dict together: an equal key keeps its place and takes the new value.</summary>
internal sealed class PyDictBuilder(int capacity)
{
    private object?[] _keys = new object?[capacity];
    private object?[] _values = new object?[capacity];
    private int[] _hashes = new int[capacity];
    private int[]? _buckets;
    private int _count;

    public void Set(object? key, object? value)
    {
        var hash = PyCompare.Hash(key);
        var at = DictIndex.Find(_keys, _hashes, _buckets, _count, key, hash);
        if (at >= 0)
        {
            _values[at] = value;
            return;
        }
        if (_count == _keys.Length)
            Grow();
        (_keys[_count], _values[_count], _hashes[_count]) = (key, value, hash);
        _count++;
        if (_count > DictIndex.Small)
            _buckets = DictIndex.Add(_buckets, _hashes, _count);
    }

    /// <summary>The dict; the builder must not be touched any more.</summary>
    public PyDict Build(Origin? origin = null) => new(_keys, _values, _hashes, _buckets, _count, origin);

    private void Grow()
    {
        var size = Math.Max(4, _count * 2);
        Array.Resize(ref _keys, size);
        Array.Resize(ref _values, size);
        Array.Resize(ref _hashes, size);
    }
}

/// <summary>Finds a key among keys and their hashes. Buckets hold positions plus one, are open and at most half full.</summary>
internal static class DictIndex
{
    /// <summary>Up to so many keys need no buckets.</summary>
    public const int Small = 8;

    public static int Find(object?[] keys, int[] hashes, int[]? buckets, int count, object? key, int hash)
    {
        if (buckets is null)
        {
            for (var i = 0; i < count; i++)
            {
                if (hashes[i] == hash && Same(keys[i], key))
                    return i;
            }
            return -1;
        }
        for (var slot = hash & (buckets.Length - 1); buckets[slot] is var entry and > 0; slot = (slot + 1) & (buckets.Length - 1))
        {
            if (hashes[entry - 1] == hash && Same(keys[entry - 1], key))
                return entry - 1;
        }
        return -1;
    }

    /// <summary>The buckets with the last of so many keys put in; new ones where they would get more than half full.</summary>
    public static int[] Add(int[]? buckets, int[] hashes, int count)
    {
        if (buckets is not null && count * 2 <= buckets.Length)
        {
            Put(buckets, hashes, count - 1);
            return buckets;
        }
        var larger = new int[(int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)count * 4)];
        for (var i = 0; i < count; i++)
            Put(larger, hashes, i);
        return larger;
    }

    private static void Put(int[] buckets, int[] hashes, int index)
    {
        var slot = hashes[index] & (buckets.Length - 1);
        while (buckets[slot] != 0)
            slot = (slot + 1) & (buckets.Length - 1);
        buckets[slot] = index + 1;
    }

    private static bool Same(object? held, object? key) =>
        held is PyStr a && key is PyStr b ? a.Text == b.Text : PyCompare.Equal(held, key);
}
