using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>A matrix, and a bias where the model has one: y = x · Wᵀ + b. Its values come from <see cref="Decoder.Initialise"/> or from a file.</summary>
public sealed class Projection : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;
    [ComponentName(Name = "bias")]
    private readonly Parameter? _bias;

    /// <param name="inputs">I.</param>
    /// <param name="outputs">O.</param>
    /// <param name="bias">Whether there is b.</param>
    /// <param name="transposed">Keeps W as [I, O], as GPT-2's <c>Conv1D</c> does, so that y = x · W + b.</param>
    public Projection(int inputs, int outputs, bool bias = false, bool transposed = false)
        : base(nameof(Projection))
    {
        // Not zeros: memory that is never written to is never taken, so the type can change before a file fills it.
        _weight = new Parameter(transposed ? empty(inputs, outputs) : empty(outputs, inputs));
        _bias = bias ? new Parameter(zeros(outputs)) : null;
        Transposed = transposed;
        RegisterComponents();
    }

    /// <summary>W, [O, I]; [I, O] where it is <see cref="Transposed"/>.</summary>
    public Tensor Weight => _weight;

    /// <summary>b, [O], or null.</summary>
    public Tensor? Bias => _bias;

    /// <summary>Whether W lies with its inputs first.</summary>
    public bool Transposed { get; }

    /// <summary>[…, I] → […, O].</summary>
    public override Tensor forward(Tensor x) =>
        !Transposed ? nn.functional.linear(x, _weight, _bias) : _bias is null ? x.matmul(_weight) : _bias.addmm(x, _weight);
}
