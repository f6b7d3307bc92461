using System.Globalization;
using System.Numerics;
using System.Runtime.InteropServices;
using TorchSharp;

namespace Attune.Torch.Native;

/// <summary>libtorch as a whole process sees it: threads, memory, and what lineage says about the kernels.</summary>
public static partial class TorchRuntime
{
    private static readonly Lock Gate = new();

    /// <summary>Threads that libtorch and our own kernels use; zero before <see cref="Initialise"/>.</summary>
    public static int Threads { get; private set; }

    /// <summary>
    /// What decides the last bits of a result besides data and seed, for lineage: libtorch's version, the width of the
    /// vectors, who multiplies matrices and the thread count. Equal descriptions give equal bits.
    /// </summary>
    public static string Description => string.Create(CultureInfo.InvariantCulture,
        $"libtorch {torch.__version__}, {RuntimeInformation.ProcessArchitecture}, SIMD {Vector<float>.Count * 32} bit, products {(Mkl.TakesHalf ? "512 bit" : "of libtorch")}, {Threads} threads");

    /// <summary>
    /// Loads libtorch and sets it up for training. Safe to call again, but not while a model runs; the last thread count holds.
    /// </summary>
    /// <param name="threads">Threads for kernels; null takes one for each processor.</param>
    /// <exception cref="TorchException">ATT5000: the native library does not load, with the way out.</exception>
    public static void Initialise(int? threads = null)
    {
        var count = threads ?? Environment.ProcessorCount;
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1, nameof(threads));
        lock (Gate)
        {
            if (Threads == 0)
            {
                NativeHeap.KeepFreed();
                LetOpenMpSleep();
            }
            try
            {
                torch.set_num_threads(count);
            }
            catch (Exception fault) when (fault is DllNotFoundException or NotSupportedException or TypeInitializationException)
            {
                throw TorchException.DoesNotLoad(fault);
            }
            Threads = count;
        }
    }

    /// <summary>
    /// libtorch's own threads spin for milliseconds after each operation, on the cores that our kernels then want. Told to
    /// sleep instead, unless the user says otherwise. libgomp reads this once, when it is loaded, from the environment of
    /// the process, which .NET's own setter does not reach.
    /// </summary>
    private static void LetOpenMpSleep()
    {
        if (OperatingSystem.IsLinux() && Environment.GetEnvironmentVariable("GOMP_SPINCOUNT") is null)
            _ = setenv("OMP_WAIT_POLICY", "PASSIVE", overwrite: 0);
    }

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int setenv(string name, string value, int overwrite);
}
