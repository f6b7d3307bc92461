using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Attune.Torch.Kernels;

/// <summary>
/// A tile of C in registers: up to twelve rows of one or two vectors, each sum in a register of its own from its first term
/// to its last. One method for all sizes: the compiler makes one of it for each, without what that size does not need.
/// </summary>
internal static unsafe class Tile512
{
    private const int Vector = 16;

    /// <summary>Rows of the largest tile: with two vectors each they take 24 of the 32 registers.</summary>
    public const int Rows = 12;

    /// <summary>Rows of the largest tile that takes no more than so many.</summary>
    public static int Fit(int rows) => rows >= Rows ? Rows : rows >= 8 ? 8 : Math.Min(rows, 4);

    /// <summary>C = α·A·panel + β·C.</summary>
    /// <param name="rows">Of C, one that <see cref="Fit"/> gives.</param>
    /// <param name="wide">Whether C and the panel have two vectors in a row.</param>
    /// <param name="k">Terms of a sum.</param>
    /// <param name="a">A.</param>
    /// <param name="row">From one row of A to the next.</param>
    /// <param name="step">From one term to the next.</param>
    /// <param name="panel">[k, 16 or 32].</param>
    /// <param name="c">C.</param>
    /// <param name="ldc">From one row of C to the next.</param>
    /// <param name="alpha">α.</param>
    /// <param name="beta">β; where it is 0, C is not read.</param>
    public static void Multiply(int rows, bool wide, int k, float* a, nint row, nint step, float* panel, float* c, nint ldc, float alpha, float beta)
    {
        if (wide)
            Multiply<Two>(rows, k, a, row, step, panel, c, ldc, alpha, beta);
        else
            Multiply<One>(rows, k, a, row, step, panel, c, ldc, alpha, beta);
    }

    private static void Multiply<TVectors>(int rows, int k, float* a, nint row, nint step, float* panel, float* c, nint ldc, float alpha, float beta)
        where TVectors : struct, ICount
    {
        switch (rows)
        {
            case 12:
                Multiply<Twelve, TVectors>(k, a, row, step, panel, c, ldc, alpha, beta);
                break;
            case 8:
                Multiply<Eight, TVectors>(k, a, row, step, panel, c, ldc, alpha, beta);
                break;
            case 4:
                Multiply<Four, TVectors>(k, a, row, step, panel, c, ldc, alpha, beta);
                break;
            case 3:
                Multiply<Three, TVectors>(k, a, row, step, panel, c, ldc, alpha, beta);
                break;
            case 2:
                Multiply<Two, TVectors>(k, a, row, step, panel, c, ldc, alpha, beta);
                break;
            default:
                Multiply<One, TVectors>(k, a, row, step, panel, c, ldc, alpha, beta);
                break;
        }
    }

    private interface ICount
    {
        static abstract int Count { get; }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply<TRows, TVectors>(int k, float* a, nint row, nint step, float* panel, float* c, nint ldc, float alpha, float beta)
        where TRows : struct, ICount
        where TVectors : struct, ICount
    {
        Vector512<float> l0 = default, l1 = default, l2 = default, l3 = default, l4 = default, l5 = default, l6 = default, l7 = default, l8 = default, l9 = default, l10 = default, l11 = default;
        Vector512<float> r0 = default, r1 = default, r2 = default, r3 = default, r4 = default, r5 = default, r6 = default, r7 = default, r8 = default, r9 = default, r10 = default, r11 = default;
        float* a3 = a + 3 * row, a6 = a + 6 * row, a9 = a + 9 * row;
        var two = 2 * row;
        for (; k > 0; k--)
        {
            var (left, right) = (Vector512.Load(panel), TVectors.Count > 1 ? Vector512.Load(panel + Vector) : default);
            Add<TVectors>(a[0], left, right, ref l0, ref r0);
            if (TRows.Count > 1)
                Add<TVectors>(a[row], left, right, ref l1, ref r1);
            if (TRows.Count > 2)
                Add<TVectors>(a[two], left, right, ref l2, ref r2);
            if (TRows.Count > 3)
                Add<TVectors>(a3[0], left, right, ref l3, ref r3);
            if (TRows.Count > 4)
                Add<TVectors>(a3[row], left, right, ref l4, ref r4);
            if (TRows.Count > 5)
                Add<TVectors>(a3[two], left, right, ref l5, ref r5);
            if (TRows.Count > 6)
                Add<TVectors>(a6[0], left, right, ref l6, ref r6);
            if (TRows.Count > 7)
                Add<TVectors>(a6[row], left, right, ref l7, ref r7);
            if (TRows.Count > 8)
                Add<TVectors>(a6[two], left, right, ref l8, ref r8);
            if (TRows.Count > 9)
                Add<TVectors>(a9[0], left, right, ref l9, ref r9);
            if (TRows.Count > 10)
                Add<TVectors>(a9[row], left, right, ref l10, ref r10);
            if (TRows.Count > 11)
                Add<TVectors>(a9[two], left, right, ref l11, ref r11);
            a += step;
            a3 += step;
            a6 += step;
            a9 += step;
            panel += TVectors.Count * Vector;
        }
        Write<TVectors>(c, l0, r0, alpha, beta);
        if (TRows.Count > 1)
            Write<TVectors>(c + ldc, l1, r1, alpha, beta);
        if (TRows.Count > 2)
            Write<TVectors>(c + 2 * ldc, l2, r2, alpha, beta);
        if (TRows.Count > 3)
            Write<TVectors>(c + 3 * ldc, l3, r3, alpha, beta);
        if (TRows.Count > 4)
            Write<TVectors>(c + 4 * ldc, l4, r4, alpha, beta);
        if (TRows.Count > 5)
            Write<TVectors>(c + 5 * ldc, l5, r5, alpha, beta);
        if (TRows.Count > 6)
            Write<TVectors>(c + 6 * ldc, l6, r6, alpha, beta);
        if (TRows.Count > 7)
            Write<TVectors>(c + 7 * ldc, l7, r7, alpha, beta);
        if (TRows.Count > 8)
            Write<TVectors>(c + 8 * ldc, l8, r8, alpha, beta);
        if (TRows.Count > 9)
            Write<TVectors>(c + 9 * ldc, l9, r9, alpha, beta);
        if (TRows.Count > 10)
            Write<TVectors>(c + 10 * ldc, l10, r10, alpha, beta);
        if (TRows.Count > 11)
            Write<TVectors>(c + 11 * ldc, l11, r11, alpha, beta);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Add<TVectors>(float x, Vector512<float> left, Vector512<float> right, ref Vector512<float> sumLeft, ref Vector512<float> sumRight)
        where TVectors : struct, ICount
    {
        var all = Vector512.Create(x);
        sumLeft = Vector512.FusedMultiplyAdd(all, left, sumLeft);
        if (TVectors.Count > 1)
            sumRight = Vector512.FusedMultiplyAdd(all, right, sumRight);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Write<TVectors>(float* c, Vector512<float> left, Vector512<float> right, float alpha, float beta)
        where TVectors : struct, ICount
    {
        (left, right) = (left * alpha, right * alpha);
        if (beta != 0)
        {
            left += Vector512.Load(c) * beta;
            if (TVectors.Count > 1)
                right += Vector512.Load(c + Vector) * beta;
        }
        left.Store(c);
        if (TVectors.Count > 1)
            right.Store(c + Vector);
    }

    private readonly struct One : ICount
    {
        public static int Count => 1;
    }

    private readonly struct Two : ICount
    {
        public static int Count => 2;
    }

    private readonly struct Three : ICount
    {
        public static int Count => 3;
    }

    private readonly struct Four : ICount
    {
        public static int Count => 4;
    }

    private readonly struct Eight : ICount
    {
        public static int Count => 8;
    }

    private readonly struct Twelve : ICount
    {
        public static int Count => 12;
    }
}
