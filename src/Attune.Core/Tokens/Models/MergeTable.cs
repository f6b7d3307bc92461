using System.Runtime.CompilerServices;

namespace Attune.Core.Tokens.Models;

/// <summary>From a pair of ids to the rank of its merge and the id that it makes: open addressing over two flat arrays.</summary>
internal sealed class MergeTable
{
    /// <summary>What <see cref="Find"/> gives where the pair has no merge: larger than any merge.</summary>
    public const long None = long.MaxValue;

    private readonly ulong[] _keys;
    private readonly long[] _values;
    private readonly int _shift;

    public MergeTable(int capacity)
    {
        var bits = 4;
        while ((1 << bits) < capacity * 2)
            bits++;
        _keys = new ulong[1 << bits];
        _values = new long[1 << bits];
        _shift = 64 - bits;
    }

    public int Count { get; private set; }

    /// <summary>Adds a merge, or replaces the rank of one that is there, as the reference does with a merge listed twice.</summary>
    public void Set(int left, int right, int rank, int id)
    {
        var key = Key(left, right);
        var slot = Slot(key);
        if (_keys[slot] == 0)
            Count++;
        _keys[slot] = key;
        _values[slot] = ((long)rank << 32) | (uint)id;
    }

    /// <summary>The merge of a pair as rank in the upper half and made id in the lower, or <see cref="None"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public long Find(int left, int right)
    {
        var key = Key(left, right);
        var slot = Slot(key);
        return _keys[slot] == 0 ? None : _values[slot];
    }

    // Zero marks an empty slot, so keys are shifted by one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Key(int left, int right) => (((ulong)(uint)left << 32) | (uint)right) + 1;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Slot(ulong key)
    {
        var slot = (int)((key * 0x9E3779B97F4A7C15UL) >> _shift);
        while (_keys[slot] != key && _keys[slot] != 0)
            slot = (slot + 1) & (_keys.Length - 1);
        return slot;
    }
}
