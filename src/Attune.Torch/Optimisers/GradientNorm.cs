using System.Numerics;
using System.Runtime.CompilerServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Optimisers;

/// <summary>Clipping by the norm of all gradients together.</summary>
public static class GradientNorm
{
    /// <summary>
    /// Scales every gradient by min(1, limit / (norm + 1e-6)), as torch does, where the norm is finite.
    /// </summary>
    /// <param name="parameters">Those without a gradient count as zero.</param>
    /// <param name="limit">The largest norm let through; 0 measures without clipping.</param>
    /// <returns>The norm before clipping, not finite where a gradient is not.</returns>
    public static double Clip(IReadOnlyList<Trainable> parameters, double limit)
    {
        using var scope = NewDisposeScope();
        var gradients = parameters.Select(p => p.Value.grad).OfType<Tensor>().ToArray();
        var norm = Math.Sqrt(gradients.Sum(g => IsNear(g) ? SquareSum(g.Floats()) : g.to(float64).square().sum().item<double>()));
        if (limit > 0 && limit / (norm + 1e-6) is < 1 and var factor)
        {
            foreach (var gradient in gradients)
            {
                if (IsNear(gradient))
                    Scale(gradient.Floats(), (float)factor);
                else
                    gradient.mul_(factor);
            }
        }
        return norm;
    }

    private static bool IsNear(Tensor gradient) => gradient.device_type == DeviceType.CPU;

    /// <summary>Σx², blocks of float32 lanes added up in float64.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static double SquareSum(ReadOnlySpan<float> x)
    {
        const int Block = 1024;
        var total = 0.0;
        for (var from = 0; from < x.Length; from += Block)
        {
            var block = x.Slice(from, Math.Min(Block, x.Length - from));
            var lanes = Vector<float>.Zero;
            var i = 0;
            for (; i <= block.Length - Vector<float>.Count; i += Vector<float>.Count)
            {
                var v = new Vector<float>(block[i..]);
                lanes += v * v;
            }
            total += Vector.Sum(lanes);
            for (; i < block.Length; i++)
                total += (double)block[i] * block[i];
        }
        return total;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Scale(Span<float> x, float factor)
    {
        var i = 0;
        for (; i <= x.Length - Vector<float>.Count; i += Vector<float>.Count)
            (new Vector<float>(x[i..]) * factor).CopyTo(x[i..]);
        for (; i < x.Length; i++)
            x[i] *= factor;
    }
}
