using Attune.Core.Data;
using Attune.Torch.Losses;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Stages;

/// <summary>Rankings end to end, each one's best answer first, with what the reference gave each answer.</summary>
/// <param name="Rows">S answers; the targets are their tokens.</param>
/// <param name="Starts">Where each ranking starts among the rows, with S at the end.</param>
/// <param name="Reference">Σ ln p of each answer under the reference, S.</param>
public sealed record ListBatch(RaggedBatch Rows, int[] Starts, float[] Reference)
{
    /// <summary>Rankings.</summary>
    public int Rankings => Starts.Length - 1;
}

/// <summary>
/// An update on whole rankings: DPO's likelihood of a ranking (Rafailov et al., arXiv 2305.18290, appendix A.3), Plackett–Luce
/// with β·u of each answer as its score. Two answers give DPO's own loss.
/// </summary>
public static class ListwiseStep
{
    /// <summary>One update: the mean over the rankings of each micro-batch, then over micro-batches.</summary>
    /// <exception cref="TrainingException">ATT5120: it diverged.</exception>
    public static UpdateResult Run(Decoder decoder, Optimiser optimiser, UpdateSettings settings, DpoObjective objective, IReadOnlyList<ListBatch> microBatches, PairMeters meters) =>
        UpdateStep.Run(optimiser, settings, microBatches.Select(b => (Func<Tensor>)(() => Loss(decoder, objective, b, meters) / (double)microBatches.Count)));

    /// <summary>The loss of one micro-batch.</summary>
    public static Tensor Loss(Decoder decoder, DpoObjective objective, ListBatch batch, PairMeters meters)
    {
        using var scope = NewDisposeScope();
        var sums_S = RowSums.Of(decoder.LogProbs(batch.Rows), batch.Rows);
        var rewards_S = objective.Beta * (sums_S - tensor(batch.Reference, device: sums_S.device));
        var (better, worse) = Pairs(batch.Starts);
        using (no_grad())
        {
            Tensor Take(Tensor x_S, long[] rows) => x_S.detach().index_select(0, tensor(rows, device: x_S.device));
            meters.Add(Take(rewards_S, better), Take(rewards_S, worse), Take(sums_S, better), Take(sums_S, worse));
        }
        var loss = PlackettLuce.Of(rewards_S, batch.Starts).mean();
        if (objective.SftWeight > 0)
        {
            var (targets, best) = (RowSums.Targets(batch.Rows), batch.Starts[..^1]);
            loss += objective.SftWeight * (-sums_S.index_select(0, tensor(Array.ConvertAll(best, s => (long)s), device: sums_S.device)).sum() / (double)best.Sum(s => targets[s]));
        }
        return loss.MoveToOuterDisposeScope();
    }

    /// <summary>A forward and backward pass that changes nothing; how many tokens it had.</summary>
    public static long Trial(Decoder decoder, Optimiser optimiser, DpoObjective objective, IReadOnlyList<ListBatch> microBatches)
    {
        UpdateStep.Gradients(microBatches.Select(b => (Func<Tensor>)(() => Loss(decoder, objective, b, new PairMeters()))));
        optimiser.ZeroGradients();
        return microBatches.Sum(b => (long)b.Rows.Tokens);
    }

    /// <summary>The mean loss of rankings, without gradients, and their meters.</summary>
    public static double Evaluate(Decoder decoder, DpoObjective objective, IEnumerable<ListBatch> batches, PairMeters meters) =>
        PairMeters.Mean(batches, b => Loss(decoder, objective, b, meters), b => b.Rankings);

    // Every two answers of a ranking, the better one first.
    private static (long[] Better, long[] Worse) Pairs(int[] starts)
    {
        var (better, worse) = (new List<long>(), new List<long>());
        for (var r = 0; r + 1 < starts.Length; r++)
        {
            for (var i = starts[r]; i < starts[r + 1]; i++)
            {
                for (var j = i + 1; j < starts[r + 1]; j++)
                {
                    better.Add(i);
                    worse.Add(j);
                }
            }
        }
        return ([.. better], [.. worse]);
    }
}
