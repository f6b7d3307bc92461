using System.Diagnostics;
using Attune.Torch.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Stages;

/// <summary>
/// What this process can do at most: the best of ten float32 products of 2048 × 2048 matrices, with the threads and the
/// product that training uses (<see cref="Gemm"/>: ours, or libtorch's where that is as fast). Training speed is told as a
/// share of it, so that figures of different machines can be compared.
/// </summary>
public static class MatmulCeiling
{
    private const int Size = 2048;
    private static readonly Lazy<double> Measured = new(Measure);

    /// <summary>Operations per second, measured once per process (about a second).</summary>
    public static double PerSecond => Measured.Value;

    /// <summary>One product of square matrices.</summary>
    internal static unsafe void Multiply(Tensor a, Tensor b, Tensor product)
    {
        var size = (int)a.shape[0];
        if (Gemm.Own)
            SharedProduct.NN(size, size, size, TensorMemory.Floats(a), TensorMemory.Floats(b), TensorMemory.Floats(product));
        else
            product.addmm_(a, b, beta: 0);
    }

    private static double Measure()
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var (a, b, product) = (full([Size, Size], 0.5f), full([Size, Size], 0.25f), empty(Size, Size));
        var best = TimeSpan.MaxValue;
        for (var i = 0; i < 10; i++)
        {
            var start = Stopwatch.GetTimestamp();
            Multiply(a, b, product);
            var took = Stopwatch.GetElapsedTime(start);
            best = took < best ? took : best;
        }
        return 2.0 * Size * Size * Size / best.TotalSeconds;
    }
}
