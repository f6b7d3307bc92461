using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Optimisers;

/// <summary>
/// Trains the two tokens of a word as one while a small model learns: "Boston" and " Boston" (with its space) share a
/// vector, and one offset that is the same for all words says which of the two it is.
/// <code>E[bare] = w    E[spaced] = w + s    ∂L/∂w = ∂L/∂E[bare] + ∂L/∂E[spaced]    ∂L/∂s = Σ ∂L/∂E[spaced]</code>
/// A value that is read in a sentence can then be written after a quote, in a list or at the beginning of a line, where
/// byte-level BPE gives it another token; that the two are the same word need not be found out word by word. Weights
/// and vocabulary stay ordinary: later stages train the two rows apart, from where this left them.
/// </summary>
public sealed class SpacedWordTie : IDisposable
{
    private readonly IReadOnlyList<Tensor> _matrices;
    private readonly Tensor _spaced_P;
    private readonly Tensor _bare_P;

    /// <param name="matrices">[V, D] each: the embedding, and the output matrix where that is another. They are leaves, float32.</param>
    /// <param name="words">Rows of the two tokens of each word.</param>
    public SpacedWordTie(IReadOnlyList<Tensor> matrices, IEnumerable<(int Spaced, int Bare)> words)
    {
        using var scope = NewDisposeScope();
        var pairs = words.ToArray();
        _matrices = matrices;
        _spaced_P = tensor(pairs.Select(p => (long)p.Spaced).ToArray(), device: matrices[0].device).DetachFromDisposeScope();
        _bare_P = tensor(pairs.Select(p => (long)p.Bare).ToArray(), device: matrices[0].device).DetachFromDisposeScope();
        Offsets = [.. matrices.Select((m, i) => new Trainable(FormattableString.Invariant($"spaced_word_offset.{i}"), Offset(m)))];
    }

    /// <summary>s of each matrix [D], zero at first: trained, and kept in checkpoints, with everything else.</summary>
    public IReadOnlyList<Trainable> Offsets { get; }

    /// <summary>Before an update: the rows of a word get the gradient of w, the offset that of s.</summary>
    public void ShareGradients()
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (matrix_VD, offset) in _matrices.Zip(Offsets))
        {
            var gradient_VD = matrix_VD.grad!;
            var spaced_PD = gradient_VD.index_select(0, _spaced_P);
            var word_PD = spaced_PD + gradient_VD.index_select(0, _bare_P);
            offset.Value.grad!.copy_(spaced_PD.sum([0L]));
            gradient_VD.index_copy_(0, _spaced_P, word_PD);
            gradient_VD.index_copy_(0, _bare_P, word_PD);
        }
    }

    /// <summary>After an update, and before the first: E[spaced] = E[bare] + s.</summary>
    public void Hold()
    {
        using var guard = no_grad();
        using var scope = NewDisposeScope();
        foreach (var (matrix_VD, offset) in _matrices.Zip(Offsets))
            matrix_VD.index_copy_(0, _spaced_P, matrix_VD.index_select(0, _bare_P) + offset.Value);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _spaced_P.Dispose();
        _bare_P.Dispose();
        foreach (var offset in Offsets)
            offset.Value.Dispose();
    }

    private static Tensor Offset(Tensor matrix_VD)
    {
        var offset_D = zeros(matrix_VD.shape[1], device: matrix_VD.device, requires_grad: true).DetachFromDisposeScope();
        using var scope = NewDisposeScope();
        offset_D.sum().backward();
        using var guard = no_grad();
        offset_D.grad!.zero_();
        return offset_D;
    }
}
