using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Optimisers;

/// <summary>How Muon's step is scaled to the shape of a matrix.</summary>
public enum MuonScale
{
    /// <summary>√max(1, rows/columns): Jordan et al., 2024.</summary>
    Original,

    /// <summary>0.2 · √max(rows, columns): as large as AdamW's steps, so that they share a learning rate (Moonshot, arXiv 2502.16982).</summary>
    MatchRms,
}

/// <summary>
/// Muon: Nesterov momentum, orthogonalised, on matrices. b ← μb + (1 − μ)g; u = (1 − μ)g + μb;
/// w ← w(1 − ηλ) − η · scale · orthogonal(u). Matrices of one shape (or of its transpose) go through the
/// Newton–Schulz iteration as one batch: a small model has many small matrices.
/// </summary>
public sealed class Muon : IDisposable
{
    private readonly IReadOnlyList<Batch> _batches;
    private readonly double _momentum;
    private readonly MuonScale _scale;

    private sealed record Batch(IReadOnlyList<Trainable> Parameters, Tensor Momentum_BRC);

    /// <summary>Momentum starts at zero.</summary>
    public Muon(IEnumerable<Trainable> parameters, double momentum, MuonScale scale)
    {
        (_momentum, _scale) = (momentum, scale);
        _batches = [.. parameters
            .GroupBy(p => (Rows: Math.Min(p.Value.shape[0], p.Value.shape[1]), Columns: Math.Max(p.Value.shape[0], p.Value.shape[1])))
            .Select(g => new Batch([.. g], zeros(g.Count(), g.Key.Rows, g.Key.Columns, device: g.First().Value.device).DetachFromDisposeScope()))];
    }

    /// <summary>What a checkpoint must hold: the momentum of each batch of matrices, under the name of its first.</summary>
    public IEnumerable<(string Name, Tensor Value)> State =>
        _batches.Select(b => ($"muon.momentum.{b.Parameters[0].Name}", b.Momentum_BRC));

    /// <summary>Updates every matrix.</summary>
    /// <param name="rate">η before each parameter's own scale.</param>
    public void Step(double rate)
    {
        using var noGradient = no_grad();
        foreach (var (parameters, momentum_BRC) in _batches)
        {
            using var scope = NewDisposeScope();
            var gradients_BRC = stack([.. parameters.Select(p => Wide(Gradient(p)))]);
            momentum_BRC.mul_(_momentum).add_(gradients_BRC, 1 - _momentum);
            var updates_BRC = NewtonSchulz.Orthogonalise(gradients_BRC.mul_(1 - _momentum).add_(momentum_BRC, _momentum));
            for (var b = 0; b < parameters.Count; b++)
            {
                var (parameter, scaled) = (parameters[b], rate * parameters[b].RateScale);
                var update = updates_BRC[b];
                parameter.Value.mul_(1 - scaled * parameter.Decay)
                    .add_(IsTall(parameter.Value) ? update.t() : update, -scaled * Scale(parameter.Value.shape));
            }
        }
    }

    private static Tensor Gradient(Trainable p) => p.Value.grad ?? zeros_like(p.Value);

    private static bool IsTall(Tensor matrix) => matrix.shape[0] > matrix.shape[1];

    private static Tensor Wide(Tensor matrix) => IsTall(matrix) ? matrix.t() : matrix;

    private double Scale(long[] shape) => _scale == MuonScale.Original
        ? Math.Sqrt(Math.Max(1, (double)shape[0] / shape[1]))
        : 0.2 * Math.Sqrt(Math.Max(shape[0], shape[1]));

    /// <summary>Frees the momentum.</summary>
    public void Dispose()
    {
        foreach (var batch in _batches)
            batch.Momentum_BRC.Dispose();
    }
}
