using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>One row of a matrix for each token id.</summary>
public sealed class TokenEmbedding : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "weight")]
    private readonly Parameter _weight;

    /// <param name="vocabulary">V.</param>
    /// <param name="size">D.</param>
    public TokenEmbedding(int vocabulary, int size)
        : base(nameof(TokenEmbedding))
    {
        _weight = new Parameter(empty(vocabulary, size));
        RegisterComponents();
    }

    /// <summary>[V, D].</summary>
    public Tensor Weight => _weight;

    /// <summary>int64 [N] → [N, D].</summary>
    public override Tensor forward(Tensor ids) => _weight.index_select(0, ids);
}
