using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Attune.Inference.Kernels;

/// <summary><see cref="Tile"/> on 256-bit vectors: 8 to 12 sums in flight, which hides the latency of a fused multiply-add. A tile asked for fewer rows computes its last row again and stores the same numbers: cheaper than one kernel for each count.</summary>
internal static unsafe class Tile256
{
    /// <inheritdoc cref="Tile.Multiply"/>
    public static void Multiply(float* a, nint lda, int rows, float* b, nint panelStride, int panels, int k, float* c, nint ldc, bool add)
    {
        var p = 0;
        if (rows <= 1)
        {
            for (; p + 4 <= panels; p += 4)
                Rows1Panels4(a, b + p * panelStride, panelStride, k, c + p * Tile.Width, add);
            for (; p < panels; p++)
                Rows1Panels1(a, b + p * panelStride, k, c + p * Tile.Width, add);
        }
        else if (rows <= 2)
        {
            for (; p + 2 <= panels; p += 2)
                Rows2Panels2(a, lda, rows, b + p * panelStride, panelStride, k, c + p * Tile.Width, ldc, add);
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
    private static void Rows1Panels4(float* a, float* b, nint panelStride, int k, float* c, bool add)
    {
        float* a0 = a, c0 = c;
        float* b1 = b + panelStride, b2 = b1 + panelStride, b3 = b2 + panelStride;
        Vector256<float> s0a = default, s0b = default, s0c = default, s0d = default, s0e = default, s0f = default, s0g = default, s0h = default;
        if (add)
        {
            (s0a, s0b, s0c, s0d, s0e, s0f, s0g, s0h) = (Vector256.Load(c0), Vector256.Load(c0 + 8), Vector256.Load(c0 + 16), Vector256.Load(c0 + 24), Vector256.Load(c0 + 32), Vector256.Load(c0 + 40), Vector256.Load(c0 + 48), Vector256.Load(c0 + 56));
        }
        for (nint i = 0; i < k; i++)
        {
            var x = Vector256.Create(a0[i]);
            s0a = Vector256.FusedMultiplyAdd(x, Vector256.Load(b + i * Tile.Width), s0a);
            s0b = Vector256.FusedMultiplyAdd(x, Vector256.Load(b + i * Tile.Width + 8), s0b);
            s0c = Vector256.FusedMultiplyAdd(x, Vector256.Load(b1 + i * Tile.Width), s0c);
            s0d = Vector256.FusedMultiplyAdd(x, Vector256.Load(b1 + i * Tile.Width + 8), s0d);
            s0e = Vector256.FusedMultiplyAdd(x, Vector256.Load(b2 + i * Tile.Width), s0e);
            s0f = Vector256.FusedMultiplyAdd(x, Vector256.Load(b2 + i * Tile.Width + 8), s0f);
            s0g = Vector256.FusedMultiplyAdd(x, Vector256.Load(b3 + i * Tile.Width), s0g);
            s0h = Vector256.FusedMultiplyAdd(x, Vector256.Load(b3 + i * Tile.Width + 8), s0h);
        }
        s0a.Store(c0);
        s0b.Store(c0 + 8);
        s0c.Store(c0 + 16);
        s0d.Store(c0 + 24);
        s0e.Store(c0 + 32);
        s0f.Store(c0 + 40);
        s0g.Store(c0 + 48);
        s0h.Store(c0 + 56);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows1Panels1(float* a, float* b, int k, float* c, bool add)
    {
        float* a0 = a, c0 = c;
        Vector256<float> s0a = default, s0b = default;
        if (add)
        {
            (s0a, s0b) = (Vector256.Load(c0), Vector256.Load(c0 + 8));
        }
        for (nint i = 0; i < k; i++)
        {
            var x = Vector256.Create(a0[i]);
            s0a = Vector256.FusedMultiplyAdd(x, Vector256.Load(b + i * Tile.Width), s0a);
            s0b = Vector256.FusedMultiplyAdd(x, Vector256.Load(b + i * Tile.Width + 8), s0b);
        }
        s0a.Store(c0);
        s0b.Store(c0 + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows2Panels2(float* a, nint lda, int rows, float* b, nint panelStride, int k, float* c, nint ldc, bool add)
    {
        nint r1 = rows > 1 ? 1 : 0;
        float* a0 = a, a1 = a + r1 * lda;
        float* c0 = c, c1 = c + r1 * ldc;
        float* b1 = b + panelStride;
        Vector256<float> s0a = default, s0b = default, s0c = default, s0d = default, s1a = default, s1b = default, s1c = default, s1d = default;
        if (add)
        {
            (s0a, s0b, s0c, s0d) = (Vector256.Load(c0), Vector256.Load(c0 + 8), Vector256.Load(c0 + 16), Vector256.Load(c0 + 24));
            (s1a, s1b, s1c, s1d) = (Vector256.Load(c1), Vector256.Load(c1 + 8), Vector256.Load(c1 + 16), Vector256.Load(c1 + 24));
        }
        for (nint i = 0; i < k; i++)
        {
            var wa = Vector256.Load(b + i * Tile.Width);
            var wb = Vector256.Load(b + i * Tile.Width + 8);
            var wc = Vector256.Load(b1 + i * Tile.Width);
            var wd = Vector256.Load(b1 + i * Tile.Width + 8);
            var x = Vector256.Create(a0[i]);
            s0a = Vector256.FusedMultiplyAdd(x, wa, s0a);
            s0b = Vector256.FusedMultiplyAdd(x, wb, s0b);
            s0c = Vector256.FusedMultiplyAdd(x, wc, s0c);
            s0d = Vector256.FusedMultiplyAdd(x, wd, s0d);
            x = Vector256.Create(a1[i]);
            s1a = Vector256.FusedMultiplyAdd(x, wa, s1a);
            s1b = Vector256.FusedMultiplyAdd(x, wb, s1b);
            s1c = Vector256.FusedMultiplyAdd(x, wc, s1c);
            s1d = Vector256.FusedMultiplyAdd(x, wd, s1d);
        }
        s0a.Store(c0);
        s0b.Store(c0 + 8);
        s0c.Store(c0 + 16);
        s0d.Store(c0 + 24);
        s1a.Store(c1);
        s1b.Store(c1 + 8);
        s1c.Store(c1 + 16);
        s1d.Store(c1 + 24);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows2Panels1(float* a, nint lda, int rows, float* b, int k, float* c, nint ldc, bool add)
    {
        nint r1 = rows > 1 ? 1 : 0;
        float* a0 = a, a1 = a + r1 * lda;
        float* c0 = c, c1 = c + r1 * ldc;
        Vector256<float> s0a = default, s0b = default, s1a = default, s1b = default;
        if (add)
        {
            (s0a, s0b) = (Vector256.Load(c0), Vector256.Load(c0 + 8));
            (s1a, s1b) = (Vector256.Load(c1), Vector256.Load(c1 + 8));
        }
        for (nint i = 0; i < k; i++)
        {
            var wa = Vector256.Load(b + i * Tile.Width);
            var wb = Vector256.Load(b + i * Tile.Width + 8);
            var x = Vector256.Create(a0[i]);
            s0a = Vector256.FusedMultiplyAdd(x, wa, s0a);
            s0b = Vector256.FusedMultiplyAdd(x, wb, s0b);
            x = Vector256.Create(a1[i]);
            s1a = Vector256.FusedMultiplyAdd(x, wa, s1a);
            s1b = Vector256.FusedMultiplyAdd(x, wb, s1b);
        }
        s0a.Store(c0);
        s0b.Store(c0 + 8);
        s1a.Store(c1);
        s1b.Store(c1 + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows4Panels1(float* a, nint lda, int rows, float* b, int k, float* c, nint ldc, bool add)
    {
        nint r1 = rows > 1 ? 1 : 0, r2 = rows > 2 ? 2 : r1, r3 = rows > 3 ? 3 : r2;
        float* a0 = a, a1 = a + r1 * lda, a2 = a + r2 * lda, a3 = a + r3 * lda;
        float* c0 = c, c1 = c + r1 * ldc, c2 = c + r2 * ldc, c3 = c + r3 * ldc;
        Vector256<float> s0a = default, s0b = default, s1a = default, s1b = default, s2a = default, s2b = default, s3a = default, s3b = default;
        if (add)
        {
            (s0a, s0b) = (Vector256.Load(c0), Vector256.Load(c0 + 8));
            (s1a, s1b) = (Vector256.Load(c1), Vector256.Load(c1 + 8));
            (s2a, s2b) = (Vector256.Load(c2), Vector256.Load(c2 + 8));
            (s3a, s3b) = (Vector256.Load(c3), Vector256.Load(c3 + 8));
        }
        for (nint i = 0; i < k; i++)
        {
            var wa = Vector256.Load(b + i * Tile.Width);
            var wb = Vector256.Load(b + i * Tile.Width + 8);
            var x = Vector256.Create(a0[i]);
            s0a = Vector256.FusedMultiplyAdd(x, wa, s0a);
            s0b = Vector256.FusedMultiplyAdd(x, wb, s0b);
            x = Vector256.Create(a1[i]);
            s1a = Vector256.FusedMultiplyAdd(x, wa, s1a);
            s1b = Vector256.FusedMultiplyAdd(x, wb, s1b);
            x = Vector256.Create(a2[i]);
            s2a = Vector256.FusedMultiplyAdd(x, wa, s2a);
            s2b = Vector256.FusedMultiplyAdd(x, wb, s2b);
            x = Vector256.Create(a3[i]);
            s3a = Vector256.FusedMultiplyAdd(x, wa, s3a);
            s3b = Vector256.FusedMultiplyAdd(x, wb, s3b);
        }
        s0a.Store(c0);
        s0b.Store(c0 + 8);
        s1a.Store(c1);
        s1b.Store(c1 + 8);
        s2a.Store(c2);
        s2b.Store(c2 + 8);
        s3a.Store(c3);
        s3b.Store(c3 + 8);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows6Panels1(float* a, nint lda, int rows, float* b, int k, float* c, nint ldc, bool add)
    {
        nint r1 = rows > 1 ? 1 : 0, r2 = rows > 2 ? 2 : r1, r3 = rows > 3 ? 3 : r2, r4 = rows > 4 ? 4 : r3, r5 = rows > 5 ? 5 : r4;
        float* a0 = a, a1 = a + r1 * lda, a2 = a + r2 * lda, a3 = a + r3 * lda, a4 = a + r4 * lda, a5 = a + r5 * lda;
        float* c0 = c, c1 = c + r1 * ldc, c2 = c + r2 * ldc, c3 = c + r3 * ldc, c4 = c + r4 * ldc, c5 = c + r5 * ldc;
        Vector256<float> s0a = default, s0b = default, s1a = default, s1b = default, s2a = default, s2b = default, s3a = default, s3b = default, s4a = default, s4b = default, s5a = default, s5b = default;
        if (add)
        {
            (s0a, s0b) = (Vector256.Load(c0), Vector256.Load(c0 + 8));
            (s1a, s1b) = (Vector256.Load(c1), Vector256.Load(c1 + 8));
            (s2a, s2b) = (Vector256.Load(c2), Vector256.Load(c2 + 8));
            (s3a, s3b) = (Vector256.Load(c3), Vector256.Load(c3 + 8));
            (s4a, s4b) = (Vector256.Load(c4), Vector256.Load(c4 + 8));
            (s5a, s5b) = (Vector256.Load(c5), Vector256.Load(c5 + 8));
        }
        for (nint i = 0; i < k; i++)
        {
            var wa = Vector256.Load(b + i * Tile.Width);
            var wb = Vector256.Load(b + i * Tile.Width + 8);
            var x = Vector256.Create(a0[i]);
            s0a = Vector256.FusedMultiplyAdd(x, wa, s0a);
            s0b = Vector256.FusedMultiplyAdd(x, wb, s0b);
            x = Vector256.Create(a1[i]);
            s1a = Vector256.FusedMultiplyAdd(x, wa, s1a);
            s1b = Vector256.FusedMultiplyAdd(x, wb, s1b);
            x = Vector256.Create(a2[i]);
            s2a = Vector256.FusedMultiplyAdd(x, wa, s2a);
            s2b = Vector256.FusedMultiplyAdd(x, wb, s2b);
            x = Vector256.Create(a3[i]);
            s3a = Vector256.FusedMultiplyAdd(x, wa, s3a);
            s3b = Vector256.FusedMultiplyAdd(x, wb, s3b);
            x = Vector256.Create(a4[i]);
            s4a = Vector256.FusedMultiplyAdd(x, wa, s4a);
            s4b = Vector256.FusedMultiplyAdd(x, wb, s4b);
            x = Vector256.Create(a5[i]);
            s5a = Vector256.FusedMultiplyAdd(x, wa, s5a);
            s5b = Vector256.FusedMultiplyAdd(x, wb, s5b);
        }
        s0a.Store(c0);
        s0b.Store(c0 + 8);
        s1a.Store(c1);
        s1b.Store(c1 + 8);
        s2a.Store(c2);
        s2b.Store(c2 + 8);
        s3a.Store(c3);
        s3b.Store(c3 + 8);
        s4a.Store(c4);
        s4b.Store(c4 + 8);
        s5a.Store(c5);
        s5b.Store(c5 + 8);
    }
}
