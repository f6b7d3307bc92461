using Attune.Torch.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Optimisers;

/// <summary>
/// The nearest matrix with all singular values near one, by the quintic Newton–Schulz iteration of Muon
/// (Jordan et al., 2024): X ← aX + (bA + cA²)X with A = XXᵀ. In float32; torch's own runs in bfloat16.
/// </summary>
public static class NewtonSchulz
{
    internal const float A = 3.4445f, B = -4.775f, C = 2.0315f;

    /// <summary>A smaller norm counts as this: a gradient of zeros stays one.</summary>
    internal const float LeastNorm = 1e-7f;

    /// <param name="matrices_BRC">Wide matrices (R ≤ C), so that the Gram matrix is the small one.</param>
    /// <param name="steps">Iterations; five bring every singular value into about [.7, 1.2].</param>
    /// <returns>Orthogonalised matrices, BRC, in the caller's scope.</returns>
    public static Tensor Orthogonalise(Tensor matrices_BRC, int steps = 5)
    {
        var (count, rows, columns) = (matrices_BRC.shape[0], matrices_BRC.shape[1], matrices_BRC.shape[2]);
        return TensorMemory.IsPlain(matrices_BRC) && NewtonSchulzKernel.Fits(count, rows, columns)
            ? Run(matrices_BRC, (int)count, (int)rows, (int)columns, steps)
            : Plain(matrices_BRC, steps);
    }

    private static unsafe Tensor Run(Tensor matrices_BRC, int count, int rows, int columns, int steps)
    {
        var result_BRC = empty_like(matrices_BRC);
        NewtonSchulzKernel.Run(TensorMemory.Floats(matrices_BRC), TensorMemory.Floats(result_BRC), count, rows, columns, steps);
        return result_BRC;
    }

    /// <summary>The definition, on libtorch.</summary>
    // Not baddbmm: TorchSharp 0.107 hands its operands over in the wrong order.
    internal static Tensor Plain(Tensor matrices_BRC, int steps)
    {
        using var scope = NewDisposeScope();
        var norms_B11 = matrices_BRC.square().sum([1L, 2L], keepdim: true).sqrt().clamp_min(LeastNorm);
        var x_BRC = matrices_BRC / norms_B11;
        for (var i = 0; i < steps; i++)
        {
            using var step = NewDisposeScope();
            var gram_BRR = x_BRC.bmm(x_BRC.transpose(1, 2));
            var polynomial_BRR = gram_BRR.bmm(gram_BRR).mul_(C).add_(gram_BRR, B);
            x_BRC = polynomial_BRR.bmm(x_BRC).add_(x_BRC, A).MoveToOuterDisposeScope();
        }
        return x_BRC.MoveToOuterDisposeScope();
    }
}
