using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>A matrix without bias: y = x · Wᵀ. Its values come from <see cref="Decoder.Initialise"/> or from a file.</summary>
public sealed class Projection : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    /// <param name="inputs">I: columns of W.</param>
    /// <param name="outputs">O: rows of W.</param>
    public Projection(int inputs, int outputs)
        : base(nameof(Projection))
    {
        _weight = new Parameter(zeros(outputs, inputs));
        RegisterComponents();
    }

    /// <summary>W, [O, I].</summary>
    public Tensor Weight => _weight;

    /// <summary>[…, I] → […, O].</summary>
    public override Tensor forward(Tensor x) => nn.functional.linear(x, _weight);
}
