using System.Runtime.InteropServices;
using Attune.Torch.Models;
using Attune.Torch.Native;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Attune.Torch.Tests.Kernels;

/// <summary>What our functions of autograd keep is gone when backward has passed them, not when the step ends.</summary>
public sealed partial class HandoverTests
{
    private const int Size = 256, Links = 20;

    public HandoverTests() => TorchRuntime.Initialise(2);

    [Fact]
    public void Backward_keeps_neither_activations_nor_gradients()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "mallinfo2 is glibc's.");
        using var norm = new RmsNorm(Size, 1e-5);
        using var source = ones(Size, Size).requires_grad_();
        Pass(); // what is made once
        var (kept, left, names) = Pass();
        Assert.True(kept > Links * Size * Size * sizeof(float), $"forward kept {kept} bytes");
        Assert.True(left < 4 * Size * Size * sizeof(float), $"backward left {left} bytes of {kept}");
        Assert.True(names < Links, $"backward left {names} tensors");

        (long Kept, long Left, long Names) Pass()
        {
            using var scope = NewDisposeScope();
            source.grad?.zero_();
            var before = InUse();
            var x = source * 1;
            for (var i = 0; i < Links; i++)
            {
                var next = norm.forward(x);
                x.Dispose();
                x = next;
            }
            var loss = x.sum();
            x.Dispose();
            var (kept, names) = (InUse() - before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
            loss.backward();
            return (kept, InUse() - before, DisposeScopeManager.Statistics.ThreadTotalLiveCount - names);
        }
    }

    // Bytes that the program holds of the heap, and of blocks that are mapped alone.
    private static long InUse()
    {
        var info = MallInfo();
        return info.InUse + info.Mapped;
    }

    [LibraryImport("libc", EntryPoint = "mallinfo2")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial HeapInfo MallInfo();

    /// <summary>malloc.h's struct mallinfo2.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct HeapInfo
    {
        private readonly nint _arena, _ordinary, _small, _mappedBlocks;
        public readonly nint Mapped;
        private readonly nint _highest, _freeSmall;
        public readonly nint InUse;
        private readonly nint _free, _trimmable;
    }
}
