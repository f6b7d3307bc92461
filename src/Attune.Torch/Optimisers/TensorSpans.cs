using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Optimisers;

/// <summary>The memory of a tensor as a span, for kernels written in C#.</summary>
public static class TensorSpans
{
    /// <summary>The floats of a contiguous float32 tensor in main memory, in place.</summary>
    public static Span<float> Floats(this Tensor tensor)
    {
        if (tensor.dtype != ScalarType.Float32 || tensor.device_type != DeviceType.CPU || !tensor.is_contiguous())
            throw new TrainingException("ATT5102", $"A kernel needs a contiguous float32 tensor in main memory, not {tensor.dtype} on {tensor.device_type}.");
        return MemoryMarshal.Cast<byte, float>(tensor.bytes);
    }
}
