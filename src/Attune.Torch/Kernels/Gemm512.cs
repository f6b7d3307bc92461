using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Attune.Torch.Native;

namespace Attune.Torch.Kernels;

/// <summary>
/// A matrix product on 512-bit vectors. B goes through a <see cref="Panel512"/>, up to <see cref="Depth"/> of its rows and
/// 32 of its columns copied side by side, which stays in the caches while all rows of A meet it, a <see cref="Tile512"/> of C
/// at a time in registers (Goto and van de Geijn 2008, Anatomy of high-performance matrix multiplication). A is read where it
/// lies: our products have few rows, and a tile asks for one number of each at a time.
/// </summary>
internal static unsafe class Gemm512
{
    /// <summary>Terms of a sum that are added up in registers before C is written.</summary>
    private const int Depth = 512;

    private const int EdgeFloats = Tile512.Rows * Panel512.Columns;

    [ThreadStatic]
    private static float[]? _memory;

    /// <summary>Whether the processor can.</summary>
    public static bool Supported => Avx512F.IsSupported;

    /// <summary>C[m,n] = α·op(A)·op(B) + β·C, where op turns A [m,k] or B [k,n] where it lies turned, [k,m] or [n,k].</summary>
    public static void Multiply(int m, int n, int k, float* a, int lda, bool turnedA, float* b, int ldb, bool turnedB, float* c, int ldc, float alpha, float beta)
    {
        // From one row of A to the next, and from one term to the next.
        nint row = turnedA ? 1 : lda, step = turnedA ? lda : 1;
        var edge = Scratch.Start(_memory ??= Scratch.Allocate(EdgeFloats + Depth * Panel512.Columns));
        var panel = edge + EdgeFloats;
        var first = 0;
        do
        {
            var depth = Math.Min(Depth, k - first);
            var keep = first == 0 ? beta : 1;
            for (var column = 0; column < n; column += Panel512.Columns)
            {
                var columns = Math.Min(Panel512.Columns, n - column);
                var wide = columns > Vector512<float>.Count;
                if (turnedB)
                    Panel512.FromColumns(b + (nint)column * ldb + first, ldb, depth, columns, panel);
                else
                    Panel512.FromRows(b + (nint)first * ldb + column, ldb, depth, columns, panel);
                for (int top = 0, rows; top < m; top += rows)
                {
                    rows = Tile512.Fit(m - top);
                    float* from = a + top * row + first * step, to = c + (nint)top * ldc + column;
                    if (columns % Vector512<float>.Count == 0)
                    {
                        Tile512.Multiply(rows, wide, depth, from, row, step, panel, to, ldc, alpha, keep);
                        continue;
                    }
                    // A tile that sticks out of C is written beside it, and what belongs to C taken over.
                    Tile512.Multiply(rows, wide, depth, from, row, step, panel, edge, Panel512.Columns, alpha, 0);
                    TakeOver(edge, rows, columns, to, ldc, keep);
                }
            }
            first += depth;
        }
        while (first < k);
    }

    private static void TakeOver(float* edge, int rows, int columns, float* c, nint ldc, float beta)
    {
        for (var i = 0; i < rows; i++)
        {
            for (var j = 0; j < columns; j++)
                c[j] = beta == 0 ? edge[j] : edge[j] + beta * c[j];
            edge += Panel512.Columns;
            c += ldc;
        }
    }
}
