namespace Attune.Torch.Native;

/// <summary>
/// Working memory of the kernels: one growing block for each thread that calls them, kept from step to step, so that
/// a step takes no memory from the system. What is in it after a kernel has returned means nothing.
/// </summary>
internal static unsafe class Scratch
{
    private const int LineFloats = 32; // 128 bytes: two cache lines, which processors fetch together

    [ThreadStatic]
    private static float[]? _block;

    /// <summary>Cuts the block into parts of the given lengths (in floats), each on a cache line of its own.</summary>
    public static void Cut(ReadOnlySpan<long> lengths, Span<nint> parts)
    {
        long total = 0;
        foreach (var length in lengths)
            total += Aligned(length);
        if (_block is null || _block.Length < LineFloats + total)
            _block = Allocate(total + total / 4);

        var next = Start(_block);
        for (var i = 0; i < lengths.Length; i++)
        {
            parts[i] = (nint)next;
            next += Aligned(lengths[i]);
        }
    }

    /// <summary>Memory of a given length (in floats) that begins on a cache line: <see cref="Start"/> says where.</summary>
    public static float[] Allocate(long length) => GC.AllocateUninitializedArray<float>(checked((int)(LineFloats + length)), pinned: true);

    /// <summary>The first cache line of what <see cref="Allocate"/> gave.</summary>
    public static float* Start(float[] allocated)
    {
        fixed (float* start = allocated) // pinned for good: the pointer outlives the statement
            return (float*)(((nint)start + (LineFloats * sizeof(float)) - 1) & ~(nint)((LineFloats * sizeof(float)) - 1));
    }

    private static long Aligned(long length) => (length + LineFloats - 1) & ~(LineFloats - 1L);
}
