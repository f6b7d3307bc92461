using Attune.Torch.Kernels;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>
/// A layer that is one matrix W [O, I]: a projection, an embedding, a head. An adapter may sit on it, and while it is
/// frozen it may be held in fewer bits.
/// </summary>
/// <remarks>
/// The one place that decides how an adapted matrix is multiplied. Small plain matrices take their adapter into the
/// weight, W + s·B·A, as a step of autograd: the fused kernels of a block run as they do without adapters, at the price of
/// the full weight's gradient. Large and held ones take the low-rank path, y = x·Wᵀ + s·(x·Aᵀ)·Bᵀ, which never has a
/// gradient of W, nor a second copy. Where one ends and the other begins is <see cref="LoraAdapter.MergeBelow"/>.
/// </remarks>
public abstract class MatrixLayer : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private protected Parameter? Matrix;

    private (Parameter? Matrix, HeldMatrix? Held)? _aside;

    /// <param name="name">Of the module.</param>
    /// <param name="rows">O, or V.</param>
    /// <param name="columns">I, or D.</param>
    /// <param name="transposed">Whether rows are inputs.</param>
    private protected MatrixLayer(string name, long rows, long columns, bool transposed = false)
        : base(name)
    {
        (Rows, Columns, Transposed) = (rows, columns, transposed);
        // Not zeros: memory that is never written to is never taken, and a held matrix takes this one's place.
        Matrix = new Parameter(empty(rows, columns));
    }

    /// <summary>O, or V; I where it is <see cref="Transposed"/>.</summary>
    public long Rows { get; }

    /// <summary>I, or D; O where it is <see cref="Transposed"/>.</summary>
    public long Columns { get; }

    /// <summary>Whether W lies with its inputs first, [I, O].</summary>
    public bool Transposed { get; }

    /// <summary>I.</summary>
    public long Inputs => Transposed ? Rows : Columns;

    /// <summary>O.</summary>
    public long Outputs => Transposed ? Columns : Rows;

    /// <summary>W as it is trained, without any adapter: [O, I]; [I, O] where it is <see cref="Transposed"/>.</summary>
    /// <exception cref="InvalidOperationException">It is held in fewer bits: ask <see cref="Floats"/>.</exception>
    public Tensor Weight => Matrix ?? throw new InvalidOperationException("The matrix is held in fewer bits.");

    /// <summary>Whether our own products run where they fit.</summary>
    internal bool Kernels { get; set; } = true;

    /// <summary>W in fewer bits, or null where it is plain.</summary>
    internal HeldMatrix? Held { get; private set; }

    /// <summary>The adapter on it, or null.</summary>
    internal MatrixAdapter? Adapter { get; set; }

    /// <summary>The device that it is on.</summary>
    internal Device Place => Held?.Place ?? Matrix!.device;

    private MatrixAdapter? Working => Adapter is { On: true } ? Adapter : null;

    /// <summary>Whether <see cref="Effective"/> gives a matrix.</summary>
    internal bool HasEffective => Working is { } adapter ? adapter.GivesEffective(this) : Matrix is not null;

    /// <summary>The matrix that x is multiplied by, the adapter in it, as autograd sees it; null: take <see cref="Linear"/>.</summary>
    internal Tensor? Effective() => !HasEffective ? null : Working?.Effective(this) ?? Matrix;

    /// <summary>x [N, I] → x·Wᵀ + b [N, O], the adapter in it.</summary>
    internal Tensor Linear(Tensor x, Tensor? bias = null)
    {
        using var scope = NewDisposeScope();
        if (Effective() is { } matrix)
            return Product(x, matrix.to(x.dtype), bias?.to(x.dtype)).MoveToOuterDisposeScope();
        var y = Plain(x);
        if (Working is LoraAdapter adapter)
            y = adapter.Add(x, y, this);
        return (bias is null ? y : y + bias.to(x.dtype)).MoveToOuterDisposeScope();
    }

    /// <summary>x·Wᵀ, no adapter in it.</summary>
    internal Tensor Plain(Tensor x) => Held is null ? Product(x, Weight.to(x.dtype), null) : HeldLinearFunction.Run(x, Held, Transposed);

    private Tensor Product(Tensor x, Tensor w, Tensor? bias)
    {
        if (Transposed)
            return bias is null ? x.matmul(w) : bias.addmm(x, w);
        return Kernels && LinearFunction.Fits(x, w, bias) ? LinearFunction.Run(x, w, bias) : nn.functional.linear(x, w, bias);
    }

    /// <summary>W without its adapter in float32, in the caller's scope: a copy where it is held in fewer bits.</summary>
    internal Tensor Floats() => Held?.Floats() ?? Matrix!.detach().to(float32);

    /// <summary>Gives a weight that holds nothing yet another type: nothing is converted, so the two types are never there at once.</summary>
    internal void Retype(ScalarType dtype)
    {
        if (Matrix is null || Matrix.dtype == dtype)
            return;
        Matrix.Dispose();
        Matrix = new Parameter(empty(Rows, Columns, dtype: dtype));
        ConditionallyRegisterParameter("weight", Matrix);
    }

    /// <summary>Puts a matrix in fewer bits in the weight's place, for good.</summary>
    internal void Hold(HeldMatrix held)
    {
        ConditionallyRegisterParameter("weight", null!);
        Matrix?.Dispose();
        (Matrix, Held) = (null, held);
    }

    /// <summary>Puts the merged matrix in the weight's place and turns the adapter off; the stored one is kept aside.</summary>
    internal void Swap(MatrixAdapter adapter)
    {
        using var scope = NewDisposeScope();
        _aside ??= (Matrix, Held);
        var merged = adapter.Merged(Floats()).to(Matrix?.dtype ?? float32).DetachFromDisposeScope();
        (Matrix, Held) = (new Parameter(merged, requires_grad: false), null);
        ConditionallyRegisterParameter("weight", Matrix);
        adapter.On = false;
    }

    /// <summary>Puts the stored matrix back.</summary>
    internal void SwapBack()
    {
        if (_aside is not { } stored)
            return;
        Matrix?.Dispose();
        (Matrix, Held, _aside) = (stored.Matrix, stored.Held, null);
        ConditionallyRegisterParameter("weight", Matrix!);
        Adapter!.On = true;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _aside?.Matrix?.Dispose();
            _aside?.Held?.Dispose();
            Held?.Dispose();
            Adapter?.Dispose();
        }
        base.Dispose(disposing);
    }
}
