using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Attune.Inference.Kernels;

/// <summary>What a decoder does between its products. Lengths are multiples of 16; lanes beyond the true width are zero.</summary>
internal static unsafe class Elementwise
{
    /// <summary>y = w · x / √(mean(x²) + ε). Zhang and Sennrich, 2019.</summary>
    /// <param name="x">D floats, zero from the true width to <paramref name="padded"/>.</param>
    /// <param name="w">D floats, likewise.</param>
    /// <param name="y">Result.</param>
    /// <param name="width">D.</param>
    /// <param name="padded">D, rounded up to 16.</param>
    /// <param name="epsilon">ε.</param>
    public static void RmsNorm(float* x, float* w, float* y, int width, int padded, float epsilon)
    {
        Vector256<float> even = default, odd = default;
        for (nint i = 0; i < padded; i += 16)
        {
            var (low, high) = (Vector256.Load(x + i), Vector256.Load(x + i + 8));
            even = Vector256.FusedMultiplyAdd(low, low, even);
            odd = Vector256.FusedMultiplyAdd(high, high, odd);
        }
        var scale = Vector256.Create(1 / MathF.Sqrt(Vector256.Sum(even + odd) / width + epsilon));
        for (nint i = 0; i < padded; i += 8)
            (Vector256.Load(x + i) * scale * Vector256.Load(w + i)).Store(y + i);
    }

    /// <summary>y = w · (x − mean(x)) / √(var(x) + ε) + b. Ba et al., 2016. Lanes beyond the width stay zero.</summary>
    public static void LayerNorm(float* x, float* w, float* b, float* y, int width, int padded, float epsilon)
    {
        var sum = Vector256<float>.Zero;
        for (nint i = 0; i < padded; i += 8)
            sum += Vector256.Load(x + i);
        var mean = Vector256.Sum(sum) / width;
        var (centre, squares) = (Vector256.Create(mean), Vector256<float>.Zero);
        nint k = 0;
        for (; k + 8 <= width; k += 8)
        {
            var difference = Vector256.Load(x + k) - centre;
            squares = Vector256.FusedMultiplyAdd(difference, difference, squares);
        }
        var total = Vector256.Sum(squares);
        for (; k < width; k++)
            total += (x[k] - mean) * (x[k] - mean);
        var scale = Vector256.Create(1 / MathF.Sqrt(total / width + epsilon));
        for (nint i = 0; i < padded; i += 8)
            Vector256.FusedMultiplyAdd((Vector256.Load(x + i) - centre) * scale, Vector256.Load(w + i), Vector256.Load(b + i)).Store(y + i);
    }

    /// <summary>y = y + x · factor.</summary>
    public static void AddScaled(float* x, float* y, float factor, int padded)
    {
        var f = Vector256.Create(factor);
        for (nint i = 0; i < padded; i += 8)
            Vector256.FusedMultiplyAdd(Vector256.Load(x + i), f, Vector256.Load(y + i)).Store(y + i);
    }

    /// <summary>y = x.</summary>
    public static void Copy(float* x, float* y, int count) => Buffer.MemoryCopy(x, y, count * (long)sizeof(float), count * (long)sizeof(float));

    /// <summary>gate = gate · sigmoid(gate) · up. Shazeer, 2020.</summary>
    public static void SwiGlu(float* gate, float* up, int padded)
    {
        for (nint i = 0; i < padded; i += 8)
        {
            var x = Vector256.Load(gate + i);
            (x / (Vector256<float>.One + Vector256.Exp(-x)) * Vector256.Load(up + i)).Store(gate + i);
        }
    }

    /// <summary>Turns the pairs (x[i], x[i + half]) by the angles of a position, as Hugging Face's Llama does. Su et al., 2021.</summary>
    public static void Rotate(float* x, float* cos, float* sin, int half)
    {
        nint i = 0;
        for (; i + 8 <= half; i += 8)
        {
            var (a, b) = (Vector256.Load(x + i), Vector256.Load(x + i + half));
            var (c, s) = (Vector256.Load(cos + i), Vector256.Load(sin + i));
            (a * c - b * s).Store(x + i);
            (b * c + a * s).Store(x + i + half);
        }
        for (; i < half; i++)
        {
            var (a, b) = (x[i], x[i + half]);
            x[i] = a * cos[i] - b * sin[i];
            x[i + half] = b * cos[i] + a * sin[i];
        }
    }

    /// <summary>
    /// weights[i] = exp(scale · (scores[i] − max)) for the first <paramref name="count"/>, zero up to
    /// <paramref name="padded"/>. Returns one over their sum.
    /// </summary>
    public static float Softmax(float* scores, int count, int padded, float scale)
    {
        var max = float.NegativeInfinity;
        for (nint i = count; i < padded; i++)
            scores[i] = float.NegativeInfinity;
        var high = Vector256.Create(float.NegativeInfinity);
        for (nint i = 0; i < padded; i += 8)
            high = Vector256.Max(high, Vector256.Load(scores + i));
        for (var lane = 0; lane < 8; lane++)
            max = MathF.Max(max, high[lane]);

        var (top, factor, sum) = (Vector256.Create(max), Vector256.Create(scale), Vector256<float>.Zero);
        for (nint i = 0; i < padded; i += 8)
        {
            // exp(−∞) is 0, so padding adds nothing and the sum does not depend on how much of it there is.
            var weight = Vector256.Exp((Vector256.Load(scores + i) - top) * factor);
            weight.Store(scores + i);
            sum += weight;
        }
        return 1 / Vector256.Sum(sum);
    }

    /// <summary>x = x · factor.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Scale(float* x, float factor, int padded)
    {
        var f = Vector256.Create(factor);
        for (nint i = 0; i < padded; i += 8)
            (Vector256.Load(x + i) * f).Store(x + i);
    }

    /// <summary>ln Σ exp(x), without overflow: what a logit minus it is a log-probability.</summary>
    public static double LogSumExp(ReadOnlySpan<float> logits)
    {
        var max = float.NegativeInfinity;
        foreach (var logit in logits)
            max = MathF.Max(max, logit);
        var top = Vector256.Create(max);
        var sum = Vector256<double>.Zero;
        var rest = 0.0;
        fixed (float* x = logits)
        {
            nint i = 0;
            for (; i + 8 <= logits.Length; i += 8)
            {
                var (low, high) = Vector256.Widen(Vector256.Exp(Vector256.Load(x + i) - top));
                sum += low + high;
            }
            for (; i < logits.Length; i++)
                rest += Math.Exp(x[i] - max);
        }
        return max + Math.Log(Vector256.Sum(sum) + rest);
    }
}
