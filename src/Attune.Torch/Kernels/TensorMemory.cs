using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Kernels;

/// <summary>The memory of a tensor, for kernels.</summary>
internal static unsafe class TensorMemory
{
    private static readonly delegate* unmanaged[Cdecl]<nint, out nint, int> DataPointer = Find();

    /// <summary>Whether a kernel may work on the tensor's memory as it is.</summary>
    public static bool IsPlain(Tensor x) => x.device_type == DeviceType.CPU && x.dtype == ScalarType.Float32 && x.is_contiguous();

    /// <summary>The first element of a contiguous float32 tensor on the CPU. The tensor must outlive the use.</summary>
    public static float* Floats(Tensor x) => (float*)Pointer(x, ScalarType.Float32);

    /// <summary>The first element of a contiguous int64 tensor on the CPU.</summary>
    public static long* Longs(Tensor x) => (long*)Pointer(x, ScalarType.Int64);

    /// <summary>The first byte of a contiguous tensor of any type on the CPU.</summary>
    public static nint Start(Tensor x) => Pointer(x, x.dtype);

    private static nint Pointer(Tensor x, ScalarType dtype)
    {
        if (x.device_type != DeviceType.CPU || x.dtype != dtype || !x.is_contiguous())
            throw new InvalidOperationException("A kernel was given a tensor that it cannot read.");
        return DataPointer(x.Handle, out var pointer) == 0 ? pointer : throw new InvalidOperationException("libtorch gave no data pointer.");
    }

    private static delegate* unmanaged[Cdecl]<nint, out nint, int> Find() =>
        (delegate* unmanaged[Cdecl]<nint, out nint, int>)NativeLibrary.GetExport(NativeLibrary.Load("torch_cpu", typeof(torch).Assembly, null), "aoti_torch_get_data_ptr");
}
