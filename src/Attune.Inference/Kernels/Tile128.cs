using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Attune.Inference.Kernels;

/// <summary><see cref="Tile"/> on 128-bit vectors, for machines that have no wider ones (Arm). A tile asked for fewer rows computes its last row again and stores the same numbers: cheaper than one kernel for each count.</summary>
internal static unsafe class Tile128
{
    /// <inheritdoc cref="Tile.Multiply"/>
    public static void Multiply(float* a, nint lda, int rows, float* b, nint panelStride, int panels, int k, float* c, nint ldc, bool add)
    {
        var p = 0;
        if (rows <= 1)
        {
            for (; p + 2 <= panels; p += 2)
                Rows1Panels2(a, b + p * panelStride, panelStride, k, c + p * Tile.Width, add);
            for (; p < panels; p++)
                Rows1Panels1(a, b + p * panelStride, k, c + p * Tile.Width, add);
        }
        else if (rows <= 2)
        {
            for (; p < panels; p++)
                Rows2Panels1(a, lda, rows, b + p * panelStride, k, c + p * Tile.Width, ldc, add);
        }
        else if (rows <= 4)
        {
            for (; p < panels; p++)
                Rows4Panels1(a, lda, rows, b + p * panelStride, k, c + p * Tile.Width, ldc, add);
        }
        else
        {
            for (; p < panels; p++)
                Rows6Panels1(a, lda, rows, b + p * panelStride, k, c + p * Tile.Width, ldc, add);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows1Panels2(float* a, float* b, nint panelStride, int k, float* c, bool add)
    {
        float* a0 = a, c0 = c;
        float* b1 = b + panelStride;
        Vector128<float> s0a = default, s0b = default, s0c = default, s0d = default, s0e = default, s0f = default, s0g = default, s0h = default;
        if (add)
        {
            (s0a, s0b, s0c, s0d, s0e, s0f, s0g, s0h) = (Vector128.Load(c0), Vector128.Load(c0 + 4), Vector128.Load(c0 + 8), Vector128.Load(c0 + 12), Vector128.Load(c0 + 16), Vector128.Load(c0 + 20), Vector128.Load(c0 + 24), Vector128.Load(c0 + 28));
        }
        for (nint i = 0; i < k; i++)
        {
            var x = Vector128.Create(a0[i]);
            s0a = Vector128.FusedMultiplyAdd(x, Vector128.Load(b + i * Tile.Width), s0a);
            s0b = Vector128.FusedMultiplyAdd(x, Vector128.Load(b + i * Tile.Width + 4), s0b);
            s0c = Vector128.FusedMultiplyAdd(x, Vector128.Load(b + i * Tile.Width + 8), s0c);
            s0d = Vector128.FusedMultiplyAdd(x, Vector128.Load(b + i * Tile.Width + 12), s0d);
            s0e = Vector128.FusedMultiplyAdd(x, Vector128.Load(b1 + i * Tile.Width), s0e);
            s0f = Vector128.FusedMultiplyAdd(x, Vector128.Load(b1 + i * Tile.Width + 4), s0f);
            s0g = Vector128.FusedMultiplyAdd(x, Vector128.Load(b1 + i * Tile.Width + 8), s0g);
            s0h = Vector128.FusedMultiplyAdd(x, Vector128.Load(b1 + i * Tile.Width + 12), s0h);
        }
        s0a.Store(c0);
        s0b.Store(c0 + 4);
        s0c.Store(c0 + 8);
        s0d.Store(c0 + 12);
        s0e.Store(c0 + 16);
        s0f.Store(c0 + 20);
        s0g.Store(c0 + 24);
        s0h.Store(c0 + 28);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows1Panels1(float* a, float* b, int k, float* c, bool add)
    {
        float* a0 = a, c0 = c;
        Vector128<float> s0a = default, s0b = default, s0c = default, s0d = default;
        if (add)
        {
            (s0a, s0b, s0c, s0d) = (Vector128.Load(c0), Vector128.Load(c0 + 4), Vector128.Load(c0 + 8), Vector128.Load(c0 + 12));
        }
        for (nint i = 0; i < k; i++)
        {
            var x = Vector128.Create(a0[i]);
            s0a = Vector128.FusedMultiplyAdd(x, Vector128.Load(b + i * Tile.Width), s0a);
            s0b = Vector128.FusedMultiplyAdd(x, Vector128.Load(b + i * Tile.Width + 4), s0b);
            s0c = Vector128.FusedMultiplyAdd(x, Vector128.Load(b + i * Tile.Width + 8), s0c);
            s0d = Vector128.FusedMultiplyAdd(x, Vector128.Load(b + i * Tile.Width + 12), s0d);
        }
        s0a.Store(c0);
        s0b.Store(c0 + 4);
        s0c.Store(c0 + 8);
        s0d.Store(c0 + 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows2Panels1(float* a, nint lda, int rows, float* b, int k, float* c, nint ldc, bool add)
    {
        nint r1 = rows > 1 ? 1 : 0;
        float* a0 = a, a1 = a + r1 * lda;
        float* c0 = c, c1 = c + r1 * ldc;
        Vector128<float> s0a = default, s0b = default, s0c = default, s0d = default, s1a = default, s1b = default, s1c = default, s1d = default;
        if (add)
        {
            (s0a, s0b, s0c, s0d) = (Vector128.Load(c0), Vector128.Load(c0 + 4), Vector128.Load(c0 + 8), Vector128.Load(c0 + 12));
            (s1a, s1b, s1c, s1d) = (Vector128.Load(c1), Vector128.Load(c1 + 4), Vector128.Load(c1 + 8), Vector128.Load(c1 + 12));
        }
        for (nint i = 0; i < k; i++)
        {
            var wa = Vector128.Load(b + i * Tile.Width);
            var wb = Vector128.Load(b + i * Tile.Width + 4);
            var wc = Vector128.Load(b + i * Tile.Width + 8);
            var wd = Vector128.Load(b + i * Tile.Width + 12);
            var x = Vector128.Create(a0[i]);
            s0a = Vector128.FusedMultiplyAdd(x, wa, s0a);
            s0b = Vector128.FusedMultiplyAdd(x, wb, s0b);
            s0c = Vector128.FusedMultiplyAdd(x, wc, s0c);
            s0d = Vector128.FusedMultiplyAdd(x, wd, s0d);
            x = Vector128.Create(a1[i]);
            s1a = Vector128.FusedMultiplyAdd(x, wa, s1a);
            s1b = Vector128.FusedMultiplyAdd(x, wb, s1b);
            s1c = Vector128.FusedMultiplyAdd(x, wc, s1c);
            s1d = Vector128.FusedMultiplyAdd(x, wd, s1d);
        }
        s0a.Store(c0);
        s0b.Store(c0 + 4);
        s0c.Store(c0 + 8);
        s0d.Store(c0 + 12);
        s1a.Store(c1);
        s1b.Store(c1 + 4);
        s1c.Store(c1 + 8);
        s1d.Store(c1 + 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows4Panels1(float* a, nint lda, int rows, float* b, int k, float* c, nint ldc, bool add)
    {
        nint r1 = rows > 1 ? 1 : 0, r2 = rows > 2 ? 2 : r1, r3 = rows > 3 ? 3 : r2;
        float* a0 = a, a1 = a + r1 * lda, a2 = a + r2 * lda, a3 = a + r3 * lda;
        float* c0 = c, c1 = c + r1 * ldc, c2 = c + r2 * ldc, c3 = c + r3 * ldc;
        Vector128<float> s0a = default, s0b = default, s0c = default, s0d = default, s1a = default, s1b = default, s1c = default, s1d = default, s2a = default, s2b = default, s2c = default, s2d = default, s3a = default, s3b = default, s3c = default, s3d = default;
        if (add)
        {
            (s0a, s0b, s0c, s0d) = (Vector128.Load(c0), Vector128.Load(c0 + 4), Vector128.Load(c0 + 8), Vector128.Load(c0 + 12));
            (s1a, s1b, s1c, s1d) = (Vector128.Load(c1), Vector128.Load(c1 + 4), Vector128.Load(c1 + 8), Vector128.Load(c1 + 12));
            (s2a, s2b, s2c, s2d) = (Vector128.Load(c2), Vector128.Load(c2 + 4), Vector128.Load(c2 + 8), Vector128.Load(c2 + 12));
            (s3a, s3b, s3c, s3d) = (Vector128.Load(c3), Vector128.Load(c3 + 4), Vector128.Load(c3 + 8), Vector128.Load(c3 + 12));
        }
        for (nint i = 0; i < k; i++)
        {
            var wa = Vector128.Load(b + i * Tile.Width);
            var wb = Vector128.Load(b + i * Tile.Width + 4);
            var wc = Vector128.Load(b + i * Tile.Width + 8);
            var wd = Vector128.Load(b + i * Tile.Width + 12);
            var x = Vector128.Create(a0[i]);
            s0a = Vector128.FusedMultiplyAdd(x, wa, s0a);
            s0b = Vector128.FusedMultiplyAdd(x, wb, s0b);
            s0c = Vector128.FusedMultiplyAdd(x, wc, s0c);
            s0d = Vector128.FusedMultiplyAdd(x, wd, s0d);
            x = Vector128.Create(a1[i]);
            s1a = Vector128.FusedMultiplyAdd(x, wa, s1a);
            s1b = Vector128.FusedMultiplyAdd(x, wb, s1b);
            s1c = Vector128.FusedMultiplyAdd(x, wc, s1c);
            s1d = Vector128.FusedMultiplyAdd(x, wd, s1d);
            x = Vector128.Create(a2[i]);
            s2a = Vector128.FusedMultiplyAdd(x, wa, s2a);
            s2b = Vector128.FusedMultiplyAdd(x, wb, s2b);
            s2c = Vector128.FusedMultiplyAdd(x, wc, s2c);
            s2d = Vector128.FusedMultiplyAdd(x, wd, s2d);
            x = Vector128.Create(a3[i]);
            s3a = Vector128.FusedMultiplyAdd(x, wa, s3a);
            s3b = Vector128.FusedMultiplyAdd(x, wb, s3b);
            s3c = Vector128.FusedMultiplyAdd(x, wc, s3c);
            s3d = Vector128.FusedMultiplyAdd(x, wd, s3d);
        }
        s0a.Store(c0);
        s0b.Store(c0 + 4);
        s0c.Store(c0 + 8);
        s0d.Store(c0 + 12);
        s1a.Store(c1);
        s1b.Store(c1 + 4);
        s1c.Store(c1 + 8);
        s1d.Store(c1 + 12);
        s2a.Store(c2);
        s2b.Store(c2 + 4);
        s2c.Store(c2 + 8);
        s2d.Store(c2 + 12);
        s3a.Store(c3);
        s3b.Store(c3 + 4);
        s3c.Store(c3 + 8);
        s3d.Store(c3 + 12);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows6Panels1(float* a, nint lda, int rows, float* b, int k, float* c, nint ldc, bool add)
    {
        nint r1 = rows > 1 ? 1 : 0, r2 = rows > 2 ? 2 : r1, r3 = rows > 3 ? 3 : r2, r4 = rows > 4 ? 4 : r3, r5 = rows > 5 ? 5 : r4;
        float* a0 = a, a1 = a + r1 * lda, a2 = a + r2 * lda, a3 = a + r3 * lda, a4 = a + r4 * lda, a5 = a + r5 * lda;
        float* c0 = c, c1 = c + r1 * ldc, c2 = c + r2 * ldc, c3 = c + r3 * ldc, c4 = c + r4 * ldc, c5 = c + r5 * ldc;
        Vector128<float> s0a = default, s0b = default, s0c = default, s0d = default, s1a = default, s1b = default, s1c = default, s1d = default, s2a = default, s2b = default, s2c = default, s2d = default, s3a = default, s3b = default, s3c = default, s3d = default, s4a = default, s4b = default, s4c = default, s4d = default, s5a = default, s5b = default, s5c = default, s5d = default;
        if (add)
        {
            (s0a, s0b, s0c, s0d) = (Vector128.Load(c0), Vector128.Load(c0 + 4), Vector128.Load(c0 + 8), Vector128.Load(c0 + 12));
            (s1a, s1b, s1c, s1d) = (Vector128.Load(c1), Vector128.Load(c1 + 4), Vector128.Load(c1 + 8), Vector128.Load(c1 + 12));
            (s2a, s2b, s2c, s2d) = (Vector128.Load(c2), Vector128.Load(c2 + 4), Vector128.Load(c2 + 8), Vector128.Load(c2 + 12));
            (s3a, s3b, s3c, s3d) = (Vector128.Load(c3), Vector128.Load(c3 + 4), Vector128.Load(c3 + 8), Vector128.Load(c3 + 12));
            (s4a, s4b, s4c, s4d) = (Vector128.Load(c4), Vector128.Load(c4 + 4), Vector128.Load(c4 + 8), Vector128.Load(c4 + 12));
            (s5a, s5b, s5c, s5d) = (Vector128.Load(c5), Vector128.Load(c5 + 4), Vector128.Load(c5 + 8), Vector128.Load(c5 + 12));
        }
        for (nint i = 0; i < k; i++)
        {
            var wa = Vector128.Load(b + i * Tile.Width);
            var wb = Vector128.Load(b + i * Tile.Width + 4);
            var wc = Vector128.Load(b + i * Tile.Width + 8);
            var wd = Vector128.Load(b + i * Tile.Width + 12);
            var x = Vector128.Create(a0[i]);
            s0a = Vector128.FusedMultiplyAdd(x, wa, s0a);
            s0b = Vector128.FusedMultiplyAdd(x, wb, s0b);
            s0c = Vector128.FusedMultiplyAdd(x, wc, s0c);
            s0d = Vector128.FusedMultiplyAdd(x, wd, s0d);
            x = Vector128.Create(a1[i]);
            s1a = Vector128.FusedMultiplyAdd(x, wa, s1a);
            s1b = Vector128.FusedMultiplyAdd(x, wb, s1b);
            s1c = Vector128.FusedMultiplyAdd(x, wc, s1c);
            s1d = Vector128.FusedMultiplyAdd(x, wd, s1d);
            x = Vector128.Create(a2[i]);
            s2a = Vector128.FusedMultiplyAdd(x, wa, s2a);
            s2b = Vector128.FusedMultiplyAdd(x, wb, s2b);
            s2c = Vector128.FusedMultiplyAdd(x, wc, s2c);
            s2d = Vector128.FusedMultiplyAdd(x, wd, s2d);
            x = Vector128.Create(a3[i]);
            s3a = Vector128.FusedMultiplyAdd(x, wa, s3a);
            s3b = Vector128.FusedMultiplyAdd(x, wb, s3b);
            s3c = Vector128.FusedMultiplyAdd(x, wc, s3c);
            s3d = Vector128.FusedMultiplyAdd(x, wd, s3d);
            x = Vector128.Create(a4[i]);
            s4a = Vector128.FusedMultiplyAdd(x, wa, s4a);
            s4b = Vector128.FusedMultiplyAdd(x, wb, s4b);
            s4c = Vector128.FusedMultiplyAdd(x, wc, s4c);
            s4d = Vector128.FusedMultiplyAdd(x, wd, s4d);
            x = Vector128.Create(a5[i]);
            s5a = Vector128.FusedMultiplyAdd(x, wa, s5a);
            s5b = Vector128.FusedMultiplyAdd(x, wb, s5b);
            s5c = Vector128.FusedMultiplyAdd(x, wc, s5c);
            s5d = Vector128.FusedMultiplyAdd(x, wd, s5d);
        }
        s0a.Store(c0);
        s0b.Store(c0 + 4);
        s0c.Store(c0 + 8);
        s0d.Store(c0 + 12);
        s1a.Store(c1);
        s1b.Store(c1 + 4);
        s1c.Store(c1 + 8);
        s1d.Store(c1 + 12);
        s2a.Store(c2);
        s2b.Store(c2 + 4);
        s2c.Store(c2 + 8);
        s2d.Store(c2 + 12);
        s3a.Store(c3);
        s3b.Store(c3 + 4);
        s3c.Store(c3 + 8);
        s3d.Store(c3 + 12);
        s4a.Store(c4);
        s4b.Store(c4 + 4);
        s4c.Store(c4 + 8);
        s4d.Store(c4 + 12);
        s5a.Store(c5);
        s5b.Store(c5 + 4);
        s5c.Store(c5 + 8);
        s5d.Store(c5 + 12);
    }
}
