using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>LayerNorm (Ba et al. 2016): y = w · (x − mean(x)) / √(var(x) + ε) + b.</summary>
public sealed class LayerNorm : Norm
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;
    [ComponentName(Name = "bias")]
    private readonly Parameter? _bias;

    private readonly double _epsilon;

    /// <param name="size">D.</param>
    /// <param name="epsilon">ε.</param>
    /// <param name="bias">Whether there is b.</param>
    public LayerNorm(int size, double epsilon, bool bias)
        : base(nameof(LayerNorm))
    {
        _weight = new Parameter(ones(size));
        _bias = bias ? new Parameter(zeros(size)) : null;
        _epsilon = epsilon;
        RegisterComponents();
    }

    /// <inheritdoc/>
    public override Tensor Weight => _weight;

    /// <summary>[…, D] → […, D].</summary>
    public override Tensor forward(Tensor x)
    {
        using var scope = NewDisposeScope();
        return nn.functional.layer_norm(x, _weight.shape, _weight.to(x.dtype), _bias?.to(x.dtype), _epsilon).MoveToOuterDisposeScope();
    }
}
