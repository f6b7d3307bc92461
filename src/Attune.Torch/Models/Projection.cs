using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>A matrix, and a bias where the model has one: y = x · Wᵀ + b. Its values come from <see cref="Decoder.Initialise"/> or from a file.</summary>
public sealed class Projection : MatrixLayer
{
    [ComponentName(Name = "bias")]
    private readonly Parameter? _bias;

    /// <param name="inputs">I.</param>
    /// <param name="outputs">O.</param>
    /// <param name="bias">Whether there is b.</param>
    /// <param name="transposed">Keeps W as [I, O], as GPT-2's <c>Conv1D</c> does, so that y = x · W + b.</param>
    public Projection(int inputs, int outputs, bool bias = false, bool transposed = false)
        : base(nameof(Projection), transposed ? inputs : outputs, transposed ? outputs : inputs, transposed)
    {
        _bias = bias ? new Parameter(zeros(outputs)) : null;
        RegisterComponents();
    }

    /// <summary>b, [O], or null.</summary>
    public Tensor? Bias => _bias;

    /// <summary>[…, I] → […, O].</summary>
    public override Tensor forward(Tensor x) => Linear(x, _bias);
}
