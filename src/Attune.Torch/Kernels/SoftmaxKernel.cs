using System.Numerics;
using System.Runtime.CompilerServices;

namespace Attune.Torch.Kernels;

/// <summary>Derivatives of a softmax row inside attention.</summary>
internal static unsafe class SoftmaxKernel
{
    /// <summary>p ← e^(s − logSum) in place of the scores, and ds ← p·(dp − drop)·scale in place of dp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(float* p, float* ds, int count, float logSum, float drop, float scale)
    {
        var (shift, drops, by) = (new Vector<float>(logSum), new Vector<float>(drop), new Vector<float>(scale));
        var i = 0;
        for (; i <= count - Simd.Width; i += Simd.Width)
        {
            var e = Simd.Exp(Vector.Load(p + i) - shift);
            e.Store(p + i);
            (e * (Vector.Load(ds + i) - drops) * by).Store(ds + i);
        }
        for (; i < count; i++)
        {
            p[i] = Simd.Exp(p[i] - logSum);
            ds[i] = p[i] * (ds[i] - drop) * scale;
        }
    }
}
