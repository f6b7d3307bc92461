using Attune.Torch.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>
/// RMSNorm (Zhang and Sennrich 2019): y = w · x / √(mean(x²) + ε), over the last dimension; Gemma keeps w − 1. Half-precision
/// input is normalised in float32 and rounded before the weight (Gemma: after), as Hugging Face does.
/// </summary>
public sealed class RmsNorm : Norm
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    /// <param name="size">D.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="plusOne">Whether the weight that is kept is w − 1.</param>
    public RmsNorm(int size, double epsilon, bool plusOne = false)
        : base(nameof(RmsNorm))
    {
        _weight = new Parameter(plusOne ? zeros(size) : ones(size));
        (Epsilon, PlusOne) = (epsilon, plusOne);
        RegisterComponents();
    }

    /// <summary>ε, added under the root.</summary>
    public double Epsilon { get; }

    /// <summary>Whether <see cref="Weight"/> is w − 1.</summary>
    public bool PlusOne { get; }

    /// <summary>w, [D]; w − 1 where it is <see cref="PlusOne"/>.</summary>
    public override Tensor Weight => _weight;

    /// <summary>[…, D] → […, D].</summary>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        if (Kernels && RmsNormFunction.Fits(x, _weight))
            return RmsNormFunction.Run(x, PlusOne ? _weight + 1 : _weight, Epsilon).MoveToOuterDisposeScope();

        var wide = x.dtype is ScalarType.BFloat16 or ScalarType.Float16 ? x.to(float32) : x;
        var normal = wide * (wide.square().mean([-1], keepdim: true) + Epsilon).rsqrt();
        return (PlusOne ? (normal * (_weight.to(wide.dtype) + 1)).to(x.dtype) : normal.to(x.dtype) * _weight.to(x.dtype)).MoveToOuterDisposeScope();
    }
}
