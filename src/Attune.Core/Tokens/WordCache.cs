using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Attune.Core.Tokens;

/// <summary>
/// Words already encoded, with their tokens. Most words of a text were seen before, so this is where the speed comes
/// from. Not for several threads at once: each call rents one. Full, it starts afresh; its memory is bounded.
/// </summary>
internal sealed class WordCache
{
    /// <summary>Longer words are rare and not worth the room.</summary>
    public const int LongestWord = 48;

    private const int MostSlots = 1 << 18;
    private Entry[] _entries = new Entry[1 << 10];
    private char[] _keys = new char[1 << 12];
    private Piece[] _pieces = new Piece[1 << 12];
    private int _keyCount;
    private int _pieceCount;
    private int _words;

    /// <summary>Appends the tokens of a known word, moved to <paramref name="offset"/>; false where it is not known.</summary>
    public bool TryAppend(ReadOnlySpan<char> word, uint hash, int offset, TokenBuffer output)
    {
        ref var first = ref MemoryMarshal.GetArrayDataReference(_entries);
        var mask = (uint)_entries.Length - 1;
        for (var slot = hash & mask; ; slot = (slot + 1) & mask)
        {
            ref var entry = ref Unsafe.Add(ref first, slot);
            if (entry.KeyLength == 0)
                return false;
            if (entry.Hash != hash || !word.SequenceEqual(_keys.AsSpan(entry.KeyStart, entry.KeyLength)))
                continue;
            output.Reserve(entry.PieceCount);
            var at = output.Count;
            foreach (ref readonly var piece in _pieces.AsSpan(entry.PieceStart, entry.PieceCount))
            {
                output.Ids[at] = piece.Id;
                output.Starts[at] = offset + piece.Start;
                output.Ends[at++] = offset + piece.End;
            }
            output.Count = at;
            return true;
        }
    }

    /// <summary>Remembers the tokens that <paramref name="output"/> got for a word from <paramref name="from"/> on.</summary>
    public void Add(ReadOnlySpan<char> word, uint hash, int offset, TokenBuffer output, int from)
    {
        if (word.Length > LongestWord)
            return;
        if (_words == _entries.Length / 2)
            Grow();
        ref var entry = ref FreeSlot(hash);
        var count = output.Count - from;
        if (_keyCount + word.Length > _keys.Length)
            Array.Resize(ref _keys, _keys.Length * 2);
        if (_pieceCount + count > _pieces.Length)
            Array.Resize(ref _pieces, Math.Max(_pieces.Length * 2, _pieceCount + count));
        entry = new Entry { Hash = hash, KeyStart = _keyCount, PieceStart = _pieceCount, KeyLength = (short)word.Length, PieceCount = (short)count };
        word.CopyTo(_keys.AsSpan(_keyCount));
        for (var i = 0; i < count; i++)
        {
            _pieces[_pieceCount + i] = new Piece
            {
                Id = output.Ids[from + i],
                Start = (byte)(output.Starts[from + i] - offset),
                End = (byte)(output.Ends[from + i] - offset),
            };
        }
        _keyCount += word.Length;
        _pieceCount += count;
        _words++;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Hash(ReadOnlySpan<char> word)
    {
        const ulong Prime = 0x9E3779B97F4A7C15UL;
        ref var bytes = ref Unsafe.As<char, byte>(ref MemoryMarshal.GetReference(word));
        var length = word.Length * 2;
        var hash = (ulong)length;
        var at = 0;
        for (; at + 8 <= length; at += 8)
            hash = BitOperations.RotateLeft((hash ^ Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref bytes, at))) * Prime, 29);
        if (at + 4 <= length)
        {
            hash = BitOperations.RotateLeft((hash ^ Unsafe.ReadUnaligned<uint>(ref Unsafe.Add(ref bytes, at))) * Prime, 29);
            at += 4;
        }
        if (at < length)
            hash = BitOperations.RotateLeft((hash ^ Unsafe.ReadUnaligned<ushort>(ref Unsafe.Add(ref bytes, at))) * Prime, 29);
        return (uint)((hash * Prime) >> 32);
    }

    private ref Entry FreeSlot(uint hash)
    {
        var mask = (uint)_entries.Length - 1;
        var slot = hash & mask;
        while (_entries[slot].KeyLength != 0)
            slot = (slot + 1) & mask;
        return ref _entries[slot];
    }

    private void Grow()
    {
        if (_entries.Length == MostSlots)
        {
            Array.Clear(_entries);
            _keyCount = _pieceCount = _words = 0;
            return;
        }
        var old = _entries;
        _entries = new Entry[old.Length * 2];
        foreach (ref readonly var entry in old.AsSpan())
        {
            if (entry.KeyLength != 0)
                FreeSlot(entry.Hash) = entry;
        }
    }

    private struct Entry
    {
        public uint Hash;
        public int KeyStart;
        public int PieceStart;
        public short KeyLength;
        public short PieceCount;
    }

    private struct Piece
    {
        public int Id;
        public byte Start;
        public byte End;
    }
}
