using System.Runtime.InteropServices;
using Attune.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Native;

/// <summary>Where the arithmetic of a run is done.</summary>
public enum ComputeDevice
{
    /// <summary>The processor, by our own kernels where they fit.</summary>
    Cpu,

    /// <summary>An NVIDIA card, by libtorch's operators.</summary>
    Cuda,
}

/// <summary>Type of activations and products. What is trained, and the optimiser's state, stay float32.</summary>
public enum ComputeType
{
    /// <summary>float32.</summary>
    F32,

    /// <summary>bfloat16: half the memory of activations; faster where the hardware has it.</summary>
    Bf16,
}

/// <summary>Opens what the options name.</summary>
internal static class Compute
{
    /// <summary>The device, ready for work that gives the same bits every time.</summary>
    /// <exception cref="TrainingException">ATT5135: there is no such device, or this build is not for it.</exception>
    public static Device Open(ComputeDevice device)
    {
        if (device == ComputeDevice.Cpu)
            return CPU;
        if (!HasCuda())
            throw new TrainingException("ATT5135", "There is no CUDA device here, or this build of Attune is not for one.")
            {
                Field = "device",
                Hint = "Build with -p:Device=cuda on a machine with an NVIDIA card and its driver, or leave --device cpu.",
            };
        // cuBLAS gives the same sums every time only with a workspace of a fixed size; it reads this when it starts.
        if (Environment.GetEnvironmentVariable("CUBLAS_WORKSPACE_CONFIG") is null)
            Environment.SetEnvironmentVariable("CUBLAS_WORKSPACE_CONFIG", ":4096:8");
        PreferDeterministic();
        return CUDA;
    }

    /// <summary>
    /// Tells libtorch to take, of two ways to compute something, the one that gives the same bits every time. TorchSharp has
    /// no call for it, so the exported C++ function is called by its Itanium name; where there is none (Windows), cuBLAS's
    /// fixed workspace is all there is.
    /// </summary>
    private static unsafe void PreferDeterministic()
    {
        if (!NativeLibrary.TryLoad("torch_cpu", typeof(torch).Assembly, null, out var library)
            || !NativeLibrary.TryGetExport(library, "_ZN2at13globalContextEv", out var globalContext)
            || !NativeLibrary.TryGetExport(library, "_ZN2at7Context26setDeterministicAlgorithmsEbb", out var set))
            return;
        var context = ((delegate* unmanaged[Cdecl]<nint>)globalContext)();
        ((delegate* unmanaged[Cdecl]<nint, byte, byte, void>)set)(context, 1, 1); // on; where there is no such way, warn
    }

    /// <summary>The type in libtorch's words.</summary>
    public static ScalarType Of(ComputeType type) => type == ComputeType.Bf16 ? ScalarType.BFloat16 : ScalarType.Float32;

    // TorchSharp looks for a backend that is not in the output folder, and says so by throwing.
    private static bool HasCuda()
    {
        try
        {
            return cuda.is_available();
        }
        catch (Exception e) when (e is NotSupportedException or DllNotFoundException or TypeInitializationException or FileNotFoundException)
        {
            return false;
        }
    }
}
