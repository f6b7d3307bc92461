using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>What is trained in place of a matrix, and stored apart from it.</summary>
internal abstract class MatrixAdapter : IDisposable
{
    /// <summary>Whether it takes part. Off, the model is what it was before: the reference of DPO and PPO.</summary>
    public bool On { get; set; } = true;

    /// <summary>What it trains, float32 leaves, under PEFT's names.</summary>
    public abstract IReadOnlyList<(string Name, Tensor Value)> Parameters { get; }

    /// <summary>Whether <see cref="Effective"/> gives a matrix for this layer.</summary>
    public abstract bool GivesEffective(MatrixLayer layer);

    /// <summary>The layer's matrix with the adapter in it, through autograd.</summary>
    public abstract Tensor Effective(MatrixLayer layer);

    /// <summary>The same from the stored values, without autograd, in float32: what a merged model holds.</summary>
    /// <param name="stored_OI">The stored matrix, float32.</param>
    public abstract Tensor Merged(Tensor stored_OI);

    /// <summary>Frees what it trains.</summary>
    public void Dispose()
    {
        foreach (var (_, value) in Parameters)
            value.Dispose();
    }
}

/// <summary>The whole matrix, trained and stored as it is: PEFT's modules_to_save, for embeddings and heads with new tokens.</summary>
internal sealed class WholeAdapter : MatrixAdapter
{
    /// <param name="name">Its name in the adapter's file.</param>
    /// <param name="layer">Where it starts.</param>
    public WholeAdapter(string name, MatrixLayer layer)
    {
        using var scope = NewDisposeScope();
        Values = layer.Floats().clone().requires_grad_().DetachFromDisposeScope();
        Parameters = [(name, Values)];
    }

    /// <summary>The trained matrix, [O, I].</summary>
    public Tensor Values { get; }

    /// <inheritdoc/>
    public override IReadOnlyList<(string Name, Tensor Value)> Parameters { get; }

    /// <inheritdoc/>
    public override bool GivesEffective(MatrixLayer layer) => true;

    /// <inheritdoc/>
    public override Tensor Effective(MatrixLayer layer) => Values;

    /// <inheritdoc/>
    public override Tensor Merged(Tensor stored_OI) => Values.detach().clone();
}
