using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Kernels;

/// <summary>Sums of values at places.</summary>
internal static class Places
{
    // Held for good. A number written into the call becomes a Scalar that nobody holds while libtorch works; index_add reads
    // it for every element, and where the collector has freed it by then, what it reads is anything.
    private static readonly Scalar One = 1f;

    /// <summary>A copy of <paramref name="target_N"/> in which every value is added at its place: [N], [M], [M] → [N].</summary>
    public static Tensor AddAt(this Tensor target_N, Tensor places_M, Tensor values_M) => target_N.index_add(0, places_M, values_M, One);
}
