using System.Runtime.Intrinsics;

namespace Attune.Inference.Kernels;

/// <summary>
/// The one inner product of the engine: C[rows, 16·panels] (+)= A[rows, k] · B, with B in panels of 16 columns,
/// k-major: panel p holds B[0, 16p..16p+16), B[1, …)… Weights, keys and values are all kept in this form.
/// Every element of C is summed over k from first to last by fused multiply-adds, whatever the vector width, the number
/// of rows or the split over threads. So a sequence's logits are the same bits alone, in a batch, and in prefill.
/// </summary>
internal static unsafe class Tile
{
    /// <summary>Columns of a panel.</summary>
    public const int Width = 16;

    /// <summary>Most rows that one call takes.</summary>
    public const int MaxRows = 6;

    /// <summary>The vector width that this machine runs: 512, 256 or 128.</summary>
    public static int VectorBits { get; } = Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128;

    /// <summary>Rounds up to whole panels.</summary>
    public static int Padded(int columns) => (columns + Width - 1) / Width * Width;

    /// <param name="a">A, row-major.</param>
    /// <param name="lda">Floats between rows of A.</param>
    /// <param name="rows">1 to 6.</param>
    /// <param name="b">The first panel.</param>
    /// <param name="panelStride">Floats between panels.</param>
    /// <param name="panels">Panels.</param>
    /// <param name="k">Length of the sums.</param>
    /// <param name="c">C, row-major.</param>
    /// <param name="ldc">Floats between rows of C.</param>
    /// <param name="add">Whether the sums start from what C holds, or from zero.</param>
    public static void Multiply(float* a, nint lda, int rows, float* b, nint panelStride, int panels, int k, float* c, nint ldc, bool add)
    {
        if (VectorBits == 512)
            Tile512.Multiply(a, lda, rows, b, panelStride, panels, k, c, ldc, add);
        else if (VectorBits == 256)
            Tile256.Multiply(a, lda, rows, b, panelStride, panels, k, c, ldc, add);
        else
            Tile128.Multiply(a, lda, rows, b, panelStride, panels, k, c, ldc, add);
    }
}
