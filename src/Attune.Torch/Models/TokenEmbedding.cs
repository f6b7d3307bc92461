using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>One row of a matrix for each token id.</summary>
public sealed class TokenEmbedding : MatrixLayer
{
    /// <param name="vocabulary">V.</param>
    /// <param name="size">D.</param>
    public TokenEmbedding(int vocabulary, int size)
        : base(nameof(TokenEmbedding), vocabulary, size) => RegisterComponents();

    /// <summary>The type of what it gives, and so of all activations; null is the matrix's own.</summary>
    internal ScalarType? Output { get; set; }

    /// <summary>int64 [N] → [N, D].</summary>
    public override Tensor forward(Tensor ids)
    {
        using var scope = NewDisposeScope();
        var x_ND = Adapter is WholeAdapter { On: true } whole ? whole.Values.index_select(0, ids) : Held?.Rows(ids) ?? Weight.index_select(0, ids);
        if (Adapter is LoraAdapter { On: true } adapter)
            x_ND = adapter.AddRows(ids, x_ND);
        return (Output is { } type ? x_ND.to(type) : x_ND).MoveToOuterDisposeScope();
    }
}
