using System.Runtime.InteropServices;
using Attune.Core.Checkpoints;

namespace Attune.Torch.Native;

/// <summary>
/// What glibc's allocator is told, for libtorch takes all its memory from there. Elsewhere (musl, macOS, Windows) nothing
/// is said: slower, not wrong.
/// </summary>
/// <remarks>
/// libtorch asks for aligned blocks, and glibc looks for one a little larger than what it gives in the end: a freed block is
/// too small for the next one of its own size, and a heap that keeps what is freed grows to about twice what is ever in
/// use. That is nothing for a small model and gigabytes for a large one, so the two are told apart.
/// </remarks>
internal static partial class NativeHeap
{
    private const int TrimThreshold = -1, TopPad = -2, MmapThreshold = -3, MmapMax = -4; // malloc.h
    private const int UsualThreshold = 128 << 10, UsualMmaps = 65_536;

    /// <summary>
    /// Numbers of a block's widest matrix from which a model counts as large, and bytes from which such a model has a buffer
    /// mapped alone: to compute an element of it takes a thousand times what mapping its memory does, or more.
    /// </summary>
    private const int LargeMatrix = 1 << 20, LargeBuffer = LargeMatrix * sizeof(float);

    private static bool _large;

    /// <summary>
    /// A training step frees and takes the same buffers again and again. glibc returns large ones to the system and has
    /// every page cleared and mapped anew at the next step, which costs a small model a third of its time. Kept
    /// instead: no mmap for single buffers, no trimming of the heap's end, and growth in steps of 64 MB.
    /// </summary>
    public static void KeepFreed()
    {
        Tell(MmapThreshold, _large ? LargeBuffer : UsualThreshold);
        Tell(MmapMax, _large ? UsualMmaps : 0);
        Tell(TrimThreshold, int.MaxValue);
        Tell(TopPad, 64 << 20);
    }

    /// <summary>
    /// While a model is made: until the result is disposed every buffer but the smallest is mapped by itself, and given back
    /// when it is freed. Weights stay, and what is there only while they are read would leave holes between them.
    /// </summary>
    /// <param name="config">The model: whether it is a large one decides how it is from then on.</param>
    public static IDisposable Loading(DecoderConfig config)
    {
        _large |= (long)config.HiddenSize * config.IntermediateSize > LargeMatrix;
        Tell(MmapThreshold, UsualThreshold);
        Tell(MmapMax, UsualMmaps);
        return new Loaded();
    }

    private static void Tell(int parameter, int value)
    {
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            _ = mallopt(parameter, value);
        }
        catch (EntryPointNotFoundException)
        {
            // musl has no mallopt.
        }
    }

    [LibraryImport("libc")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int mallopt(int parameter, int value);

    private sealed class Loaded : IDisposable
    {
        public void Dispose() => KeepFreed();
    }
}
