using System.Numerics;
using System.Runtime.CompilerServices;

namespace Attune.Torch.Kernels;

/// <summary>silu(gate)·up and its derivatives, element by element.</summary>
internal static unsafe class SwiGluKernel
{
    /// <summary>y = g·σ(g)·u.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(float* gate, float* up, float* y, int count)
    {
        var i = 0;
        for (; i <= count - Simd.Width; i += Simd.Width)
        {
            var g = Vector.Load(gate + i);
            (g / (Vector<float>.One + Simd.Exp(-g)) * Vector.Load(up + i)).Store(y + i);
        }
        for (; i < count; i++)
            y[i] = gate[i] / (1 + Simd.Exp(-gate[i])) * up[i];
    }

    /// <summary>
    /// From dy: du = dy·g·σ and dg = dy·u·σ·(1 + g·(1 − σ)); y once more, for the gradient of the matrix that follows.
    /// <paramref name="dy"/> and <paramref name="du"/> may be the same memory.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(float* gate, float* up, float* dy, float* dg, float* du, float* y, int count)
    {
        var one = Vector<float>.One;
        var i = 0;
        for (; i <= count - Simd.Width; i += Simd.Width)
        {
            var (g, u, d) = (Vector.Load(gate + i), Vector.Load(up + i), Vector.Load(dy + i));
            var sigma = one / (one + Simd.Exp(-g));
            var silu = g * sigma;
            (silu * u).Store(y + i);
            (d * silu).Store(du + i);
            (d * u * sigma * (one + g - silu)).Store(dg + i);
        }
        for (; i < count; i++)
        {
            var (g, u, d) = (gate[i], up[i], dy[i]);
            var sigma = 1 / (1 + Simd.Exp(-g));
            y[i] = g * sigma * u;
            du[i] = d * g * sigma;
            dg[i] = d * u * sigma * (1 + g * (1 - sigma));
        }
    }
}
