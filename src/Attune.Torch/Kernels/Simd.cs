using System.Numerics;
using System.Runtime.CompilerServices;

namespace Attune.Torch.Kernels;

/// <summary>Row operations on float32 memory in vectors of whatever width the machine has (Vector&lt;float&gt;).</summary>
internal static unsafe class Simd
{
    /// <summary>Floats in a vector.</summary>
    public static int Width => Vector<float>.Count;

    /// <summary>
    /// e^x within 2 ulp: x = n·ln 2 + r with |r| ≤ ln 2 / 2, a polynomial for e^r (Cephes expf, Moshier 1989), and 2^n by the
    /// exponent's bits. Below −87 it stays at the smallest normal number, above 88 at about 1.6e38, so never infinite.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector<float> Exp(Vector<float> x)
    {
        x = Vector.Min(Vector.Max(x, new Vector<float>(-87.3f)), new Vector<float>(88f));
        // Adding and taking away 1.5·2^23 rounds to the nearest whole number.
        var shift = new Vector<float>(12582912f);
        var n = Vector.MultiplyAddEstimate(x, new Vector<float>(1.44269504f), shift) - shift;
        var r = Vector.MultiplyAddEstimate(n, new Vector<float>(-0.693359375f), x);
        r = Vector.MultiplyAddEstimate(n, new Vector<float>(2.12194440e-4f), r);

        var p = new Vector<float>(1.9875691500e-4f);
        p = Vector.MultiplyAddEstimate(p, r, new Vector<float>(1.3981999507e-3f));
        p = Vector.MultiplyAddEstimate(p, r, new Vector<float>(8.3334519073e-3f));
        p = Vector.MultiplyAddEstimate(p, r, new Vector<float>(4.1665795894e-2f));
        p = Vector.MultiplyAddEstimate(p, r, new Vector<float>(1.6666665459e-1f));
        p = Vector.MultiplyAddEstimate(p, r, new Vector<float>(5.0000001201e-1f));
        p = Vector.MultiplyAddEstimate(p, r * r, r + Vector<float>.One);

        var power = Vector.ShiftLeft(Vector.ConvertToInt32Native(n) + new Vector<int>(127), 23);
        return p * Vector.As<int, float>(power);
    }

    /// <summary>e^x of one number, by the same arithmetic.</summary>
    public static float Exp(float x) => Exp(new Vector<float>(x))[0];

    /// <summary>Σ a[i]·b[i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Dot(float* a, float* b, int count)
    {
        var (sum, other) = (Vector<float>.Zero, Vector<float>.Zero);
        var i = 0;
        for (; i <= count - 2 * Width; i += 2 * Width)
        {
            sum = Vector.MultiplyAddEstimate(Vector.Load(a + i), Vector.Load(b + i), sum);
            other = Vector.MultiplyAddEstimate(Vector.Load(a + i + Width), Vector.Load(b + i + Width), other);
        }
        var total = Vector.Sum(sum + other);
        for (; i < count; i++)
            total += a[i] * b[i];
        return total;
    }

    /// <summary>The largest of a row.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Max(float* a, int count)
    {
        var best = float.NegativeInfinity;
        var i = 0;
        if (count >= Width)
        {
            var most = Vector.Load(a);
            for (i = Width; i <= count - Width; i += Width)
                most = Vector.Max(most, Vector.Load(a + i));
            for (var lane = 0; lane < Width; lane++)
                best = Math.Max(best, most[lane]);
        }
        for (; i < count; i++)
            best = Math.Max(best, a[i]);
        return best;
    }

    /// <summary>a[i] ← e^(a[i] − shift); returns the sum.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float ExpInPlace(float* a, int count, float shift)
    {
        var (minus, sum) = (new Vector<float>(shift), Vector<float>.Zero);
        var i = 0;
        for (; i <= count - Width; i += Width)
        {
            var e = Exp(Vector.Load(a + i) - minus);
            sum += e;
            e.Store(a + i);
        }
        var total = Vector.Sum(sum);
        for (; i < count; i++)
            total += a[i] = Exp(a[i] - shift);
        return total;
    }

    /// <summary>a[i] ← a[i]·factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale(float* a, int count, float factor)
    {
        var by = new Vector<float>(factor);
        var i = 0;
        for (; i <= count - Width; i += Width)
            (Vector.Load(a + i) * by).Store(a + i);
        for (; i < count; i++)
            a[i] *= factor;
    }

    /// <summary>to[i] ← from[i]·factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ScaleTo(float* from, float* to, long count, float factor)
    {
        var by = new Vector<float>(factor);
        var i = 0L;
        for (; i <= count - Width; i += Width)
            (Vector.Load(from + i) * by).Store(to + i);
        for (; i < count; i++)
            to[i] = from[i] * factor;
    }

    /// <summary>to[i] ← to[i] + from[i].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Add(float* from, float* to, int count)
    {
        var i = 0;
        for (; i <= count - Width; i += Width)
            (Vector.Load(from + i) + Vector.Load(to + i)).Store(to + i);
        for (; i < count; i++)
            to[i] += from[i];
    }

    /// <summary>Copies floats.</summary>
    public static void Copy(float* from, float* to, long count) => Buffer.MemoryCopy(from, to, count * sizeof(float), count * sizeof(float));

    /// <summary>Writes zeros.</summary>
    public static void Clear(float* a, long count) => new Span<byte>(a, checked((int)(count * sizeof(float)))).Clear();
}
