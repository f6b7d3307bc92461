using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Attune.Torch.Kernels;

/// <summary>
/// Columns of B side by side, [depth, 32], or [depth, 16] where no more are left, so that a tile reads them one line after
/// another; columns that B does not have are 0.
/// </summary>
internal static unsafe class Panel512
{
    /// <summary>Columns at most.</summary>
    public const int Columns = 32;

    private const int Vector = 16;

    /// <summary>From B [depth, columns].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FromRows(float* b, nint ldb, int depth, int columns, float* panel)
    {
        var width = Width(columns);
        for (var p = 0; p < depth; p++)
        {
            for (var left = 0; left < width; left += Vector)
            {
                if (columns - left >= Vector)
                {
                    Vector512.Load(b + left).Store(panel + left);
                    continue;
                }
                for (var j = left; j < left + Vector; j++)
                    panel[j] = j < columns ? b[j] : 0;
            }
            b += ldb;
            panel += width;
        }
    }

    /// <summary>From B that lies turned, [columns, depth].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void FromColumns(float* b, nint ldb, int depth, int columns, float* panel)
    {
        var width = Width(columns);
        for (var left = 0; left < width; left += Vector)
        {
            var there = Math.Min(Vector, columns - left);
            var p = 0;
            for (; there == Vector && p <= depth - Vector; p += Vector)
                TurnSquare(b + left * ldb + p, ldb, panel + p * width + left, width);
            for (; p < depth; p++)
            {
                for (var j = 0; j < Vector; j++)
                    panel[p * width + left + j] = j < there ? b[(left + j) * ldb + p] : 0;
            }
        }
    }

    private static int Width(int columns) => columns > Vector ? Columns : Vector;

    // 16 × 16. Rows i, i + 4, i + 8 and i + 12 lie in one vector, four numbers of each; interleaving four such vectors
    // turns the four small squares that they are made of.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void TurnSquare(float* b, nint ldb, float* to, nint width)
    {
        for (var q = 0; q < Vector; q += 4)
        {
            var (r0, r1, r2, r3) = (EveryFourth(b + q, ldb), EveryFourth(b + q + ldb, ldb), EveryFourth(b + q + 2 * ldb, ldb), EveryFourth(b + q + 3 * ldb, ldb));
            var (low01, high01) = (Avx512F.UnpackLow(r0, r1).AsDouble(), Avx512F.UnpackHigh(r0, r1).AsDouble());
            var (low23, high23) = (Avx512F.UnpackLow(r2, r3).AsDouble(), Avx512F.UnpackHigh(r2, r3).AsDouble());
            Avx512F.UnpackLow(low01, low23).AsSingle().Store(to + q * width);
            Avx512F.UnpackHigh(low01, low23).AsSingle().Store(to + (q + 1) * width);
            Avx512F.UnpackLow(high01, high23).AsSingle().Store(to + (q + 2) * width);
            Avx512F.UnpackHigh(high01, high23).AsSingle().Store(to + (q + 3) * width);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> EveryFourth(float* b, nint ldb) => Vector512.Create(
        Vector256.Create(Vector128.Load(b), Vector128.Load(b + 4 * ldb)),
        Vector256.Create(Vector128.Load(b + 8 * ldb), Vector128.Load(b + 12 * ldb)));
}
