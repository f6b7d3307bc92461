using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Attune.Inference.Kernels;

/// <summary><see cref="Tile"/> on 512-bit vectors, where a panel is one vector. A tile asked for fewer rows computes its last row again and stores the same numbers: cheaper than one kernel for each count.</summary>
internal static unsafe class Tile512
{
    /// <inheritdoc cref="Tile.Multiply"/>
    public static void Multiply(float* a, nint lda, int rows, float* b, nint panelStride, int panels, int k, float* c, nint ldc, bool add)
    {
        var p = 0;
        if (rows <= 1)
        {
            for (; p + 8 <= panels; p += 8)
                Rows1Panels8(a, b + p * panelStride, panelStride, k, c + p * Tile.Width, add);
            for (; p < panels; p++)
                Rows1Panels1(a, b + p * panelStride, k, c + p * Tile.Width, add);
        }
        else if (rows <= 2)
        {
            for (; p + 4 <= panels; p += 4)
                Rows2Panels4(a, lda, rows, b + p * panelStride, panelStride, k, c + p * Tile.Width, ldc, add);
            for (; p < panels; p++)
                Rows2Panels1(a, lda, rows, b + p * panelStride, k, c + p * Tile.Width, ldc, add);
        }
        else
        {
            for (; p + 2 <= panels; p += 2)
                Rows6Panels2(a, lda, rows, b + p * panelStride, panelStride, k, c + p * Tile.Width, ldc, add);
            for (; p < panels; p++)
                Rows6Panels1(a, lda, rows, b + p * panelStride, k, c + p * Tile.Width, ldc, add);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows1Panels8(float* a, float* b, nint panelStride, int k, float* c, bool add)
    {
        float* a0 = a, c0 = c;
        float* b1 = b + panelStride, b2 = b1 + panelStride, b3 = b2 + panelStride, b4 = b3 + panelStride, b5 = b4 + panelStride, b6 = b5 + panelStride, b7 = b6 + panelStride;
        Vector512<float> s0a = default, s0b = default, s0c = default, s0d = default, s0e = default, s0f = default, s0g = default, s0h = default;
        if (add)
        {
            (s0a, s0b, s0c, s0d, s0e, s0f, s0g, s0h) = (Vector512.Load(c0), Vector512.Load(c0 + 16), Vector512.Load(c0 + 32), Vector512.Load(c0 + 48), Vector512.Load(c0 + 64), Vector512.Load(c0 + 80), Vector512.Load(c0 + 96), Vector512.Load(c0 + 112));
        }
        for (nint i = 0; i < k; i++)
        {
            var x = Vector512.Create(a0[i]);
            s0a = Vector512.FusedMultiplyAdd(x, Vector512.Load(b + i * Tile.Width), s0a);
            s0b = Vector512.FusedMultiplyAdd(x, Vector512.Load(b1 + i * Tile.Width), s0b);
            s0c = Vector512.FusedMultiplyAdd(x, Vector512.Load(b2 + i * Tile.Width), s0c);
            s0d = Vector512.FusedMultiplyAdd(x, Vector512.Load(b3 + i * Tile.Width), s0d);
            s0e = Vector512.FusedMultiplyAdd(x, Vector512.Load(b4 + i * Tile.Width), s0e);
            s0f = Vector512.FusedMultiplyAdd(x, Vector512.Load(b5 + i * Tile.Width), s0f);
            s0g = Vector512.FusedMultiplyAdd(x, Vector512.Load(b6 + i * Tile.Width), s0g);
            s0h = Vector512.FusedMultiplyAdd(x, Vector512.Load(b7 + i * Tile.Width), s0h);
        }
        s0a.Store(c0);
        s0b.Store(c0 + 16);
        s0c.Store(c0 + 32);
        s0d.Store(c0 + 48);
        s0e.Store(c0 + 64);
        s0f.Store(c0 + 80);
        s0g.Store(c0 + 96);
        s0h.Store(c0 + 112);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows1Panels1(float* a, float* b, int k, float* c, bool add)
    {
        float* a0 = a, c0 = c;
        Vector512<float> s0a = default;
        if (add)
        {
            s0a = Vector512.Load(c0);
        }
        for (nint i = 0; i < k; i++)
        {
            var x = Vector512.Create(a0[i]);
            s0a = Vector512.FusedMultiplyAdd(x, Vector512.Load(b + i * Tile.Width), s0a);
        }
        s0a.Store(c0);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows2Panels4(float* a, nint lda, int rows, float* b, nint panelStride, int k, float* c, nint ldc, bool add)
    {
        nint r1 = rows > 1 ? 1 : 0;
        float* a0 = a, a1 = a + r1 * lda;
        float* c0 = c, c1 = c + r1 * ldc;
        float* b1 = b + panelStride, b2 = b1 + panelStride, b3 = b2 + panelStride;
        Vector512<float> s0a = default, s0b = default, s0c = default, s0d = default, s1a = default, s1b = default, s1c = default, s1d = default;
        if (add)
        {
            (s0a, s0b, s0c, s0d) = (Vector512.Load(c0), Vector512.Load(c0 + 16), Vector512.Load(c0 + 32), Vector512.Load(c0 + 48));
            (s1a, s1b, s1c, s1d) = (Vector512.Load(c1), Vector512.Load(c1 + 16), Vector512.Load(c1 + 32), Vector512.Load(c1 + 48));
        }
        for (nint i = 0; i < k; i++)
        {
            var wa = Vector512.Load(b + i * Tile.Width);
            var wb = Vector512.Load(b1 + i * Tile.Width);
            var wc = Vector512.Load(b2 + i * Tile.Width);
            var wd = Vector512.Load(b3 + i * Tile.Width);
            var x = Vector512.Create(a0[i]);
            s0a = Vector512.FusedMultiplyAdd(x, wa, s0a);
            s0b = Vector512.FusedMultiplyAdd(x, wb, s0b);
            s0c = Vector512.FusedMultiplyAdd(x, wc, s0c);
            s0d = Vector512.FusedMultiplyAdd(x, wd, s0d);
            x = Vector512.Create(a1[i]);
            s1a = Vector512.FusedMultiplyAdd(x, wa, s1a);
            s1b = Vector512.FusedMultiplyAdd(x, wb, s1b);
            s1c = Vector512.FusedMultiplyAdd(x, wc, s1c);
            s1d = Vector512.FusedMultiplyAdd(x, wd, s1d);
        }
        s0a.Store(c0);
        s0b.Store(c0 + 16);
        s0c.Store(c0 + 32);
        s0d.Store(c0 + 48);
        s1a.Store(c1);
        s1b.Store(c1 + 16);
        s1c.Store(c1 + 32);
        s1d.Store(c1 + 48);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows2Panels1(float* a, nint lda, int rows, float* b, int k, float* c, nint ldc, bool add)
    {
        nint r1 = rows > 1 ? 1 : 0;
        float* a0 = a, a1 = a + r1 * lda;
        float* c0 = c, c1 = c + r1 * ldc;
        Vector512<float> s0a = default, s1a = default;
        if (add)
        {
            s0a = Vector512.Load(c0);
            s1a = Vector512.Load(c1);
        }
        for (nint i = 0; i < k; i++)
        {
            var wa = Vector512.Load(b + i * Tile.Width);
            var x = Vector512.Create(a0[i]);
            s0a = Vector512.FusedMultiplyAdd(x, wa, s0a);
            x = Vector512.Create(a1[i]);
            s1a = Vector512.FusedMultiplyAdd(x, wa, s1a);
        }
        s0a.Store(c0);
        s1a.Store(c1);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows6Panels2(float* a, nint lda, int rows, float* b, nint panelStride, int k, float* c, nint ldc, bool add)
    {
        nint r1 = rows > 1 ? 1 : 0, r2 = rows > 2 ? 2 : r1, r3 = rows > 3 ? 3 : r2, r4 = rows > 4 ? 4 : r3, r5 = rows > 5 ? 5 : r4;
        float* a0 = a, a1 = a + r1 * lda, a2 = a + r2 * lda, a3 = a + r3 * lda, a4 = a + r4 * lda, a5 = a + r5 * lda;
        float* c0 = c, c1 = c + r1 * ldc, c2 = c + r2 * ldc, c3 = c + r3 * ldc, c4 = c + r4 * ldc, c5 = c + r5 * ldc;
        float* b1 = b + panelStride;
        Vector512<float> s0a = default, s0b = default, s1a = default, s1b = default, s2a = default, s2b = default, s3a = default, s3b = default, s4a = default, s4b = default, s5a = default, s5b = default;
        if (add)
        {
            (s0a, s0b) = (Vector512.Load(c0), Vector512.Load(c0 + 16));
            (s1a, s1b) = (Vector512.Load(c1), Vector512.Load(c1 + 16));
            (s2a, s2b) = (Vector512.Load(c2), Vector512.Load(c2 + 16));
            (s3a, s3b) = (Vector512.Load(c3), Vector512.Load(c3 + 16));
            (s4a, s4b) = (Vector512.Load(c4), Vector512.Load(c4 + 16));
            (s5a, s5b) = (Vector512.Load(c5), Vector512.Load(c5 + 16));
        }
        for (nint i = 0; i < k; i++)
        {
            var wa = Vector512.Load(b + i * Tile.Width);
            var wb = Vector512.Load(b1 + i * Tile.Width);
            var x = Vector512.Create(a0[i]);
            s0a = Vector512.FusedMultiplyAdd(x, wa, s0a);
            s0b = Vector512.FusedMultiplyAdd(x, wb, s0b);
            x = Vector512.Create(a1[i]);
            s1a = Vector512.FusedMultiplyAdd(x, wa, s1a);
            s1b = Vector512.FusedMultiplyAdd(x, wb, s1b);
            x = Vector512.Create(a2[i]);
            s2a = Vector512.FusedMultiplyAdd(x, wa, s2a);
            s2b = Vector512.FusedMultiplyAdd(x, wb, s2b);
            x = Vector512.Create(a3[i]);
            s3a = Vector512.FusedMultiplyAdd(x, wa, s3a);
            s3b = Vector512.FusedMultiplyAdd(x, wb, s3b);
            x = Vector512.Create(a4[i]);
            s4a = Vector512.FusedMultiplyAdd(x, wa, s4a);
            s4b = Vector512.FusedMultiplyAdd(x, wb, s4b);
            x = Vector512.Create(a5[i]);
            s5a = Vector512.FusedMultiplyAdd(x, wa, s5a);
            s5b = Vector512.FusedMultiplyAdd(x, wb, s5b);
        }
        s0a.Store(c0);
        s0b.Store(c0 + 16);
        s1a.Store(c1);
        s1b.Store(c1 + 16);
        s2a.Store(c2);
        s2b.Store(c2 + 16);
        s3a.Store(c3);
        s3b.Store(c3 + 16);
        s4a.Store(c4);
        s4b.Store(c4 + 16);
        s5a.Store(c5);
        s5b.Store(c5 + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows6Panels1(float* a, nint lda, int rows, float* b, int k, float* c, nint ldc, bool add)
    {
        nint r1 = rows > 1 ? 1 : 0, r2 = rows > 2 ? 2 : r1, r3 = rows > 3 ? 3 : r2, r4 = rows > 4 ? 4 : r3, r5 = rows > 5 ? 5 : r4;
        float* a0 = a, a1 = a + r1 * lda, a2 = a + r2 * lda, a3 = a + r3 * lda, a4 = a + r4 * lda, a5 = a + r5 * lda;
        float* c0 = c, c1 = c + r1 * ldc, c2 = c + r2 * ldc, c3 = c + r3 * ldc, c4 = c + r4 * ldc, c5 = c + r5 * ldc;
        Vector512<float> s0a = default, s1a = default, s2a = default, s3a = default, s4a = default, s5a = default;
        if (add)
        {
            s0a = Vector512.Load(c0);
            s1a = Vector512.Load(c1);
            s2a = Vector512.Load(c2);
            s3a = Vector512.Load(c3);
            s4a = Vector512.Load(c4);
            s5a = Vector512.Load(c5);
        }
        for (nint i = 0; i < k; i++)
        {
            var wa = Vector512.Load(b + i * Tile.Width);
            var x = Vector512.Create(a0[i]);
            s0a = Vector512.FusedMultiplyAdd(x, wa, s0a);
            x = Vector512.Create(a1[i]);
            s1a = Vector512.FusedMultiplyAdd(x, wa, s1a);
            x = Vector512.Create(a2[i]);
            s2a = Vector512.FusedMultiplyAdd(x, wa, s2a);
            x = Vector512.Create(a3[i]);
            s3a = Vector512.FusedMultiplyAdd(x, wa, s3a);
            x = Vector512.Create(a4[i]);
            s4a = Vector512.FusedMultiplyAdd(x, wa, s4a);
            x = Vector512.Create(a5[i]);
            s5a = Vector512.FusedMultiplyAdd(x, wa, s5a);
        }
        s0a.Store(c0);
        s1a.Store(c1);
        s2a.Store(c2);
        s3a.Store(c3);
        s4a.Store(c4);
        s5a.Store(c5);
    }
}
