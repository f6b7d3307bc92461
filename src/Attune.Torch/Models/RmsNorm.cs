using Attune.Torch.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>
/// RMSNorm (Zhang and Sennrich 2019): y = w · x / √(mean(x²) + ε), over the last dimension. Half-precision input is
/// normalised in float32 and rounded before the weight, as Hugging Face does.
/// </summary>
public sealed class RmsNorm : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    /// <param name="size">D.</param>
    /// <param name="epsilon">ε.</param>
    public RmsNorm(int size, double epsilon)
        : base(nameof(RmsNorm))
    {
        _weight = new Parameter(ones(size));
        Epsilon = epsilon;
        RegisterComponents();
    }

    /// <summary>ε, added under the root.</summary>
    public double Epsilon { get; }

    /// <summary>w, [D].</summary>
    public Tensor Weight => _weight;

    /// <summary>Whether <see cref="forward"/> may take the kernel where it fits; off, it is the plain definition.</summary>
    internal bool Kernels { get; set; } = true;

    /// <summary>[…, D] → […, D].</summary>
    public override Tensor forward(Tensor x)
    {
        if (Kernels && RmsNormFunction.Fits(x, this))
            return RmsNormFunction.Run(x, this);

        using var scope = NewDisposeScope();
        var wide = x.dtype is ScalarType.BFloat16 or ScalarType.Float16 ? x.to(float32) : x;
        var normal = wide * (wide.square().mean([-1], keepdim: true) + Epsilon).rsqrt();
        return (normal.to(x.dtype) * _weight.to(x.dtype)).MoveToOuterDisposeScope();
    }
}
