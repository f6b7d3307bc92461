using System.Numerics;
using System.Runtime.CompilerServices;

namespace Attune.Torch.Kernels;

/// <summary>One row of <see cref="Models.RmsNorm"/>, forward and backward.</summary>
internal static unsafe class RmsNormKernel
{
    /// <summary>y = w · x · r, r = 1 / √(mean(x²) + ε).</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Forward(float* x, float* w, float* y, int size, float epsilon)
    {
        var root = Root(x, size, epsilon);
        var by = new Vector<float>(root);
        var i = 0;
        for (; i <= size - Simd.Width; i += Simd.Width)
            (Vector.Load(x + i) * by * Vector.Load(w + i)).Store(y + i);
        for (; i < size; i++)
            y[i] = x[i] * root * w[i];
    }

    /// <summary>
    /// With x̂ = x·r and g = dy·w: dw += dy·x̂ and dx += r·(g − x̂·mean(g·x̂)).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Backward(float* x, float* w, float* dy, float* dx, float* dw, int size, float epsilon)
    {
        var root = Root(x, size, epsilon);
        var by = new Vector<float>(root);
        var sum = Vector<float>.Zero;
        var i = 0;
        for (; i <= size - Simd.Width; i += Simd.Width)
        {
            var scaled = Vector.Load(dy + i) * (Vector.Load(x + i) * by);
            (Vector.Load(dw + i) + scaled).Store(dw + i);
            sum = Vector.MultiplyAddEstimate(scaled, Vector.Load(w + i), sum);
        }
        var total = Vector.Sum(sum);
        for (; i < size; i++)
        {
            var scaled = dy[i] * (x[i] * root);
            dw[i] += scaled;
            total += scaled * w[i];
        }

        // r·x̂·mean(g·x̂), with the second r inside x̂.
        var pull = -total / size * root;
        var pulls = new Vector<float>(pull);
        for (i = 0; i <= size - Simd.Width; i += Simd.Width)
        {
            var d = Vector.MultiplyAddEstimate(Vector.Load(dy + i) * Vector.Load(w + i), by, Vector.Load(dx + i));
            Vector.MultiplyAddEstimate(Vector.Load(x + i) * by, pulls, d).Store(dx + i);
        }
        for (; i < size; i++)
            dx[i] += dy[i] * w[i] * root + x[i] * root * pull;
    }

    private static float Root(float* x, int size, float epsilon) => 1f / MathF.Sqrt(Simd.Dot(x, x, size) / size + epsilon);
}
