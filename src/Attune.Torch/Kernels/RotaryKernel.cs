using System.Numerics;
using System.Runtime.CompilerServices;

namespace Attune.Torch.Kernels;

/// <summary>Rotary positions on one head of one token, in place (see <see cref="Models.RotaryTable"/>).</summary>
internal static unsafe class RotaryKernel
{
    /// <summary>(a, b) ← (a·cos − b·sin, b·cos + a·sin); <paramref name="direction"/> −1 turns back, which is the gradient.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Turn(float* head, float* cos, float* sin, int half, float direction)
    {
        var way = new Vector<float>(direction);
        var i = 0;
        for (; i <= half - Simd.Width; i += Simd.Width)
        {
            var (a, b) = (Vector.Load(head + i), Vector.Load(head + half + i));
            var (c, s) = (Vector.Load(cos + i), Vector.Load(sin + i) * way);
            (a * c - b * s).Store(head + i);
            (b * c + a * s).Store(head + half + i);
        }
        for (; i < half; i++)
        {
            var (a, b, c, s) = (head[i], head[half + i], cos[i], sin[i] * direction);
            head[i] = a * c - b * s;
            head[half + i] = b * c + a * s;
        }
    }
}
