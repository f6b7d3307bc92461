using System.Runtime.InteropServices;

namespace Attune.Inference.Kernels;

/// <summary>Zeroed floats outside the collected heap, on a 64-byte boundary: what the kernels load from.</summary>
internal sealed unsafe class NativeFloats : IDisposable
{
    private float* _pointer;

    public NativeFloats(long length)
    {
        Length = length;
        var bytes = (nuint)Math.Max(length, 16) * sizeof(float);
        _pointer = (float*)NativeMemory.AlignedAlloc(bytes, 64);
        NativeMemory.Clear(_pointer, bytes);
    }

#pragma warning disable MA0055 // A raw pointer is this class's only field: the finalizer is the safety net, as in a SafeHandle.
    ~NativeFloats() => Free();
#pragma warning restore MA0055

    public long Length { get; }

    public float* Pointer => _pointer is not null ? _pointer : throw new ObjectDisposedException(nameof(NativeFloats));

    public Span<float> Slice(long start, int count) => start >= 0 && count >= 0 && count <= Length - start
        ? new(Pointer + start, count)
        : throw new ArgumentOutOfRangeException(nameof(start));

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    private void Free()
    {
        NativeMemory.AlignedFree(_pointer);
        _pointer = null;
    }
}
