using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>
/// A low-rank change of one matrix: W + s·B·A (Hu et al., arXiv 2106.09685), and with a magnitude m for each row
/// m · (W + s·B·A) / ‖W + s·B·A‖ (DoRA: Liu et al., arXiv 2402.09353; the norm counts as a constant in backward, its
/// section 4.3). Where the matrix lies with its inputs first (GPT-2), and on an embedding (A [r, V], B [D, r]), the change is
/// transposed: W + s·(B·A)ᵀ.
/// </summary>
internal sealed class LoraAdapter : MatrixAdapter
{
    /// <summary>
    /// Elements of a plain matrix up to which the adapter goes into the weight: up to there a second copy and a full gradient
    /// are small, and the fused block is worth them. A judgement; the benchmark <c>lora</c> shows both sides of it.
    /// </summary>
    public const long MergeBelow = 1 << 20;

    private readonly Tensor _a_RI, _b_OR;
    private readonly Tensor? _magnitude_O;
    private readonly double _scale;
    private readonly bool _embedding, _transposed;

    /// <param name="a">A's name and values, [r, I] (embedding: [r, V]).</param>
    /// <param name="b">B's name and values, [O, r] (embedding: [D, r]).</param>
    /// <param name="magnitude">DoRA's m, [O], or null.</param>
    /// <param name="scale">s: α/r or α/√r.</param>
    /// <param name="embedding">Whether the matrix is an embedding.</param>
    /// <param name="transposed">Whether the matrix lies with its inputs first.</param>
    public LoraAdapter((string Name, Tensor Value) a, (string Name, Tensor Value) b, (string Name, Tensor Value)? magnitude, double scale, bool embedding, bool transposed)
    {
        (_a_RI, _b_OR, _magnitude_O, _scale, _embedding, _transposed) = (a.Value, b.Value, magnitude?.Value, scale, embedding, embedding || transposed);
        Parameters = magnitude is { } m ? [a, b, m] : [a, b];
    }

    /// <inheritdoc/>
    public override IReadOnlyList<(string Name, Tensor Value)> Parameters { get; }

    /// <summary>What is dropped of its input in the pass that runs, or null. Embeddings drop nothing, as in PEFT: their input is an id.</summary>
    public DropMask? Drop
    {
        get;
        set => field = _embedding ? null : value;
    }

    /// <inheritdoc/>
    public override bool GivesEffective(MatrixLayer layer) =>
        Drop is null && layer.Held is null && layer.Rows * layer.Columns <= MergeBelow && layer.Weight.dtype == ScalarType.Float32;

    /// <inheritdoc/>
    public override Tensor Effective(MatrixLayer layer)
    {
        using var scope = NewDisposeScope();
        var sum_OI = Sum(layer.Weight);
        return (_magnitude_O is null ? sum_OI : sum_OI * Direction(sum_OI)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor Merged(Tensor stored_OI)
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        var sum_OI = Sum(stored_OI);
        return (_magnitude_O is null ? sum_OI : sum_OI.mul_(Direction(sum_OI))).MoveToOuterDisposeScope();
    }

    /// <summary>The low-rank path: x [N, I] and y = x·Wᵀ [N, O] → the adapted y.</summary>
    public Tensor Add(Tensor x, Tensor y, MatrixLayer layer)
    {
        using var scope = NewDisposeScope();
        var kept = Drop?.Of(x) ?? x;
        var wide = kept.to(_a_RI.dtype);
        // A tied head sees its embedding's adapter transposed.
        var (down, up) = _embedding ? (_b_OR.t(), _a_RI.t()) : (_a_RI, _b_OR);
        var change = nn.functional.linear(nn.functional.linear(wide, down), up) * _scale;
        if (_magnitude_O is null)
            return (y + change.to(y.dtype)).MoveToOuterDisposeScope();
        Tensor norms_O;
        using (no_grad())
            norms_O = Norms(Sum(layer.Floats()), _transposed).reshape(-1);
        var ratio_O = (_magnitude_O / norms_O).to(y.dtype);
        // With dropout what DoRA changes of W·x is dropped too, and W·x itself is not (PEFT's DoraLinearLayer).
        return (Drop is null
            ? (y + change.to(y.dtype)) * ratio_O
            : y + (ratio_O - 1) * layer.Plain(kept) + ratio_O * change.to(y.dtype)).MoveToOuterDisposeScope();
    }

    /// <summary>The embedding's rows [N, D] with their change.</summary>
    public Tensor AddRows(Tensor ids, Tensor x_ND)
    {
        using var scope = NewDisposeScope();
        var change_ND = nn.functional.linear(_a_RI.t().index_select(0, ids), _b_OR) * _scale;
        return (x_ND + change_ND.to(x_ND.dtype)).MoveToOuterDisposeScope();
    }

    private Tensor Sum(Tensor w_OI) => _transposed
        ? w_OI.addmm(_a_RI.t(), _b_OR.t(), alpha: (float)_scale)
        : w_OI.addmm(_b_OR, _a_RI, alpha: (float)_scale);

    // m / ‖w‖ of every output, [O, 1] or [1, O]; the norm is a constant.
    private Tensor Direction(Tensor sum_OI) => _magnitude_O!.unsqueeze(_transposed ? 0 : 1) / Norms(sum_OI.detach(), _transposed);

    /// <summary>‖w‖ of every output: of the rows, or of the columns where inputs lie first.</summary>
    internal static Tensor Norms(Tensor w_OI, bool transposed) => w_OI.square().sum([transposed ? 0L : 1L], keepdim: true).sqrt();
}
