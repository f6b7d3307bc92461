using System.Runtime.InteropServices;
using Attune.Inference.Kernels;

namespace Attune.Inference;

/// <summary>
/// The keys and values of one sequence, in pages of 64 positions that are taken from the engine's free list as the
/// sequence grows and go back on <see cref="Dispose"/>. <see cref="Truncate"/> makes a conversation's prefix usable
/// again. Within a page keys lie as <see cref="Tile"/> panels over positions and values as panels over channels, so
/// attention runs on the same product as everything else.
/// </summary>
public sealed class KvCache : IDisposable
{
    /// <summary>Positions of a page.</summary>
    internal const int PagePositions = 64;

    private readonly KvPages _pages;
    private readonly List<NativeFloats> _held = [];
    private readonly List<int> _ids = [];
    private bool _disposed;

    internal KvCache(KvPages pages) => _pages = pages;

    /// <summary>Tokens whose keys and values are here.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes held.</summary>
    public long Bytes => _held.Count * _pages.PageFloats * sizeof(float);

    internal object Owner => _pages;

    /// <summary>The tokens whose keys and values are here.</summary>
    internal ReadOnlySpan<int> Ids => CollectionsMarshal.AsSpan(_ids);

    /// <summary>Whether they were turned by the rotary frequencies of long texts (longrope).</summary>
    internal bool IsLong { get; set; }

    /// <summary>Forgets the tokens from <paramref name="length"/> on.</summary>
    public void Truncate(int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)Length);
        Length = length;
        CollectionsMarshal.SetCount(_ids, length);
        var keep = (length + PagePositions - 1) / PagePositions;
        for (var i = _held.Count - 1; i >= keep; i--)
        {
            _pages.Return(_held[i]);
            _held.RemoveAt(i);
        }
    }

    /// <summary>Gives the pages back.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        Truncate(0);
        _disposed = true;
    }

    internal void Reserve(int length)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        while (_held.Count * PagePositions < length)
            _held.Add(_pages.Take());
    }

    internal void Advance(ReadOnlySpan<int> ids)
    {
        _ids.AddRange(ids);
        Length += ids.Length;
    }

    /// <summary>Keys of a page: panels of 16 positions, [4][C][16].</summary>
    internal unsafe float* Keys(int page, int layer, int head) => _held[page].Pointer + _pages.Offset(layer, head);

    /// <summary>Values of a page: panels of 16 channels, [C/16][64][16].</summary>
    internal unsafe float* Values(int page, int layer, int head) => Keys(page, layer, head) + (nint)_pages.HeadWidth * PagePositions;
}

/// <summary>Pages of one shape: all layers and heads of 64 positions.</summary>
internal sealed class KvPages(int layers, int heads, int headWidth) : IDisposable
{
    private readonly Stack<NativeFloats> _free = new();
    private bool _disposed;

    public int HeadWidth => headWidth;

    public long PageFloats => 2L * layers * heads * headWidth * KvCache.PagePositions;

    public nint Offset(int layer, int head) => 2 * ((nint)layer * heads + head) * headWidth * KvCache.PagePositions;

    public NativeFloats Take()
    {
        lock (_free)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (!_free.TryPop(out var page))
                return new NativeFloats(PageFloats);
            // Zero times a value that another sequence left must be zero, whatever it left.
            page.Slice(0, (int)PageFloats).Clear();
            return page;
        }
    }

    public void Return(NativeFloats page)
    {
        lock (_free)
        {
            if (_disposed)
                page.Dispose();
            else
                _free.Push(page);
        }
    }

    public void Dispose()
    {
        lock (_free)
        {
            _disposed = true;
            while (_free.TryPop(out var page))
                page.Dispose();
        }
    }
}
