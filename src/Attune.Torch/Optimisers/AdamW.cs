using System.Numerics;
using System.Runtime.CompilerServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Optimisers;

/// <summary>
/// AdamW (Loshchilov and Hutter, arXiv 1711.05101) in one pass over weight, gradient and both moments:
/// w ← w(1 − ηλ);  m ← β₁m + (1 − β₁)g;  v ← β₂v + (1 − β₂)g²;  w ← w − η/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε).
/// The same order of operations as torch's, so that its trajectories are followed.
/// </summary>
public sealed class AdamW : IDisposable
{
    /// <summary>Elements that one worker takes at a time; the result does not depend on it.</summary>
    private const int Chunk = 1 << 16;

    private readonly IReadOnlyList<(Trainable Parameter, Tensor First, Tensor Second)> _slots;
    private readonly (double Beta1, double Beta2, double Epsilon) _settings;

    /// <summary>Moments start at zero.</summary>
    public AdamW(IEnumerable<Trainable> parameters, double beta1, double beta2, double epsilon)
    {
        _settings = (beta1, beta2, epsilon);
        _slots = [.. parameters.Select(p => (p,
            zeros_like(p.Value).DetachFromDisposeScope(),
            zeros_like(p.Value).DetachFromDisposeScope()))];
    }

    /// <summary>What a checkpoint must hold: both moments of every parameter, by name.</summary>
    public IEnumerable<(string Name, Tensor Value)> State =>
        _slots.SelectMany(s => new[] { ($"adamw.first.{s.Parameter.Name}", s.First), ($"adamw.second.{s.Parameter.Name}", s.Second) });

    /// <summary>Updates every parameter that has a gradient.</summary>
    /// <param name="step">t, counted from one.</param>
    /// <param name="rate">η before each parameter's own scale.</param>
    public void Step(long step, double rate)
    {
        using var scope = NewDisposeScope();
        foreach (var (parameter, first, second) in _slots)
        {
            if (parameter.Value.grad is not { } gradient)
                continue;
            if (parameter.Value.device_type != DeviceType.CPU)
                Plain(parameter, gradient, first, second, step, rate);
            else
                Update(parameter, gradient, first, second, step, rate);
        }
    }

    /// <summary>The definition, in libtorch's operators: what runs where the kernel's memory is not.</summary>
    internal void Plain(Trainable parameter, Tensor gradient, Tensor first, Tensor second, long step, double rate)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var (beta1, beta2, epsilon) = _settings;
        var scaled = rate * parameter.RateScale;
        first.mul_(beta1).add_(gradient, 1 - beta1);
        second.mul_(beta2).addcmul_(gradient, gradient, 1 - beta2);
        var denominator = second.sqrt().div_(Math.Sqrt(1 - Math.Pow(beta2, step))).add_(epsilon);
        parameter.Value.mul_(1 - scaled * parameter.Decay).addcdiv_(first, denominator, -scaled / (1 - Math.Pow(beta1, step)));
    }

    private unsafe void Update(Trainable parameter, Tensor gradient, Tensor first, Tensor second, long step, double rate)
    {
        var (beta1, beta2, epsilon) = _settings;
        var scaled = rate * parameter.RateScale;
        var factors = new Factors(
            Keep: (float)(1 - scaled * parameter.Decay),
            Rate: (float)(scaled / (1 - Math.Pow(beta1, step))),
            Root: (float)Math.Sqrt(1 - Math.Pow(beta2, step)),
            Beta1: (float)beta1, Rest1: (float)(1 - beta1), Beta2: (float)beta2, Rest2: (float)(1 - beta2), Epsilon: (float)epsilon);

        var length = parameter.Value.Floats().Length;
        fixed (float* w = parameter.Value.Floats(), g = gradient.Floats(), m = first.Floats(), v = second.Floats())
        {
            // Native memory does not move: the pointers may cross into the workers.
            var (pw, pg, pm, pv) = ((nint)w, (nint)g, (nint)m, (nint)v);
            if (length <= Chunk)
                Run(factors, (float*)pw, (float*)pg, (float*)pm, (float*)pv, length);
            else
                Parallel.For(0, (length + Chunk - 1) / Chunk, c =>
                {
                    var from = c * Chunk;
                    Run(factors, (float*)pw + from, (float*)pg + from, (float*)pm + from, (float*)pv + from, Math.Min(Chunk, length - from));
                });
        }
    }

    private readonly record struct Factors(float Keep, float Rate, float Root, float Beta1, float Rest1, float Beta2, float Rest2, float Epsilon);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static unsafe void Run(in Factors f, float* w, float* g, float* m, float* v, int n)
    {
        var i = 0;
        for (var width = Vector<float>.Count; i <= n - width; i += width)
        {
            var gradient = Vector.Load(g + i);
            var first = Vector.Load(m + i) * f.Beta1 + gradient * f.Rest1;
            var second = Vector.Load(v + i) * f.Beta2 + gradient * gradient * f.Rest2;
            var denominator = Vector.SquareRoot(second) / new Vector<float>(f.Root) + new Vector<float>(f.Epsilon);
            Vector.Store(first, m + i);
            Vector.Store(second, v + i);
            Vector.Store(Vector.Load(w + i) * f.Keep - first * f.Rate / denominator, w + i);
        }
        for (; i < n; i++)
        {
            m[i] = m[i] * f.Beta1 + g[i] * f.Rest1;
            v[i] = v[i] * f.Beta2 + g[i] * g[i] * f.Rest2;
            w[i] = w[i] * f.Keep - m[i] * f.Rate / (MathF.Sqrt(v[i]) / f.Root + f.Epsilon);
        }
    }

    /// <summary>Frees the moments.</summary>
    public void Dispose()
    {
        foreach (var (_, first, second) in _slots)
        {
            first.Dispose();
            second.Dispose();
        }
    }
}
