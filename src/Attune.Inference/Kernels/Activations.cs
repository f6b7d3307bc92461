using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Attune.Core.Checkpoints;

namespace Attune.Inference.Kernels;

/// <summary>The functions between products that are not SwiGLU's. Lengths are multiples of 8.</summary>
internal static unsafe class Activations
{
    /// <summary>gate = act(gate) · up.</summary>
    public static void Gated(Activation activation, float* gate, float* up, int padded)
    {
        if (activation == Activation.Silu)
        {
            Elementwise.SwiGlu(gate, up, padded);
            return;
        }
        for (nint i = 0; i < padded; i += 8)
            (Act(activation, Vector256.Load(gate + i)) * Vector256.Load(up + i)).Store(gate + i);
    }

    /// <summary>x = act(x).</summary>
    public static void Plain(Activation activation, float* x, int padded)
    {
        for (nint i = 0; i < padded; i += 8)
            Act(activation, Vector256.Load(x + i)).Store(x + i);
    }

    /// <summary>x = cap · tanh(x · factor / cap) (Gemma 2).</summary>
    public static void SoftCap(float* x, int padded, float factor, float cap)
    {
        var (before, after) = (Vector256.Create(factor / cap), Vector256.Create(cap));
        for (nint i = 0; i < padded; i += 8)
            (Tanh(Vector256.Load(x + i) * before) * after).Store(x + i);
    }

    /// <summary>The same on a span of any length.</summary>
    public static void SoftCap(Span<float> x, float cap)
    {
        fixed (float* start = x)
        {
            var whole = x.Length / 8 * 8;
            SoftCap(start, whole, 1, cap);
            for (var i = whole; i < x.Length; i++)
                x[i] = Tanh(Vector256.Create(x[i] / cap))[0] * cap;
        }
    }

    private static Vector256<float> Act(Activation activation, Vector256<float> x)
    {
        var one = Vector256<float>.One;
        return activation switch
        {
            Activation.Silu => x / (one + Vector256.Exp(-x)),
            // ½·x·(1 + tanh(√(2/π)·(x + 0.044715·x³))), Hendrycks and Gimpel 2016
            Activation.GeluTanh => Vector256.Create(0.5f) * x * (one + Tanh(Vector256.Create(0.7978845608f) * (x + Vector256.Create(0.044715f) * x * x * x))),
            // ½·x·(1 + erf(x/√2))
            _ => Vector256.Create(0.5f) * x * (one + Erf(x * Vector256.Create(0.7071067812f))),
        };
    }

    // 1 − 2 / (e^2x + 1): right at both ends, and within 1e-7 between.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Tanh(Vector256<float> x)
    {
        var bounded = Vector256.Min(Vector256.Max(x, Vector256.Create(-20f)), Vector256.Create(20f));
        return Vector256<float>.One - Vector256.Create(2f) / (Vector256.Exp(bounded + bounded) + Vector256<float>.One);
    }

    // Abramowitz and Stegun 7.1.26, within 1.5e-7.
    private static Vector256<float> Erf(Vector256<float> x)
    {
        var z = Vector256.Abs(x);
        var t = Vector256<float>.One / (Vector256<float>.One + Vector256.Create(0.3275911f) * z);
        var p = Vector256.Create(1.061405429f);
        foreach (var c in (ReadOnlySpan<float>)[-1.453152027f, 1.421413741f, -0.284496736f, 0.254829592f])
            p = p * t + Vector256.Create(c);
        return Vector256.CopySign(Vector256<float>.One - p * t * Vector256.Exp(-z * z), x);
    }
}
