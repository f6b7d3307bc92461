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
        long total = LineFloats;
        foreach (var length in lengths)
            total += Aligned(length);
        if (_block is null || _block.Length < total)
            _block = GC.AllocateUninitializedArray<float>(checked((int)(total + total / 4)), pinned: true);

        fixed (float* start = _block) // pinned for good: the pointer outlives the statement
        {
            var next = (float*)(((nint)start + (LineFloats * sizeof(float)) - 1) & ~(nint)((LineFloats * sizeof(float)) - 1));
            for (var i = 0; i < lengths.Length; i++)
            {
                parts[i] = (nint)next;
                next += Aligned(lengths[i]);
            }
        }
    }

    private static long Aligned(long length) => (length + LineFloats - 1) & ~(LineFloats - 1L);
}
