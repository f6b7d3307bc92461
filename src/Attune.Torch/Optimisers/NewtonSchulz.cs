using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Optimisers;

/// <summary>
/// The nearest matrix with all singular values near one, by the quintic Newton–Schulz iteration of Muon
/// (Jordan et al., 2024): X ← aX + (bA + cA²)X with A = XXᵀ. In float32; torch's own runs in bfloat16.
/// </summary>
public static class NewtonSchulz
{
    // Not baddbmm: TorchSharp 0.107 hands its operands over in the wrong order.
    private const double A = 3.4445f, B = -4.775f, C = 2.0315f;

    /// <param name="matrices_BRC">Wide matrices (R ≤ C), so that the Gram matrix is the small one.</param>
    /// <param name="steps">Iterations; five bring every singular value into about [.7, 1.2].</param>
    /// <returns>Orthogonalised matrices, BRC, in the caller's scope.</returns>
    public static Tensor Orthogonalise(Tensor matrices_BRC, int steps = 5)
    {
        using var scope = NewDisposeScope();
        var norms_B11 = matrices_BRC.square().sum([1L, 2L], keepdim: true).sqrt().clamp_min(1e-7);
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
