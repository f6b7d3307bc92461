using Attune.Core.Data;
using Attune.Torch.Losses;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Stages;

/// <summary>A micro-batch of P pairs: 2P rows, the chosen ones first. Of the chosen rows every token is a target.</summary>
/// <param name="Rows">The rows.</param>
/// <param name="Completion">Whether the target of a position is in the completion, N.</param>
public sealed record OrpoBatch(RaggedBatch Rows, bool[] Completion)
{
    /// <summary>P.</summary>
    public int Pairs => Rows.Rows / 2;

    /// <summary>Pairs by index.</summary>
    public static OrpoBatch Of(IReadOnlyList<PairRow> pairs, ReadOnlySpan<int> indices)
    {
        var completions = Batches.OfPairs(pairs, indices);
        return Of(completions, indices.Length);
    }

    /// <summary>Rows whose targets are the completions: the prompts of the first <paramref name="chosen"/> become targets, too.</summary>
    public static OrpoBatch Of(RaggedBatch completions, int chosen)
    {
        var targets = completions.Targets.ToArray();
        for (var r = 0; r < chosen; r++)
        {
            for (var i = completions.Starts[r]; i + 1 < completions.Starts[r + 1]; i++)
                targets[i] = completions.Ids[i + 1];
        }
        var rows = new RaggedBatch { Ids = completions.Ids, Targets = targets, Positions = completions.Positions, Starts = completions.Starts };
        return new OrpoBatch(rows, Array.ConvertAll(completions.Targets, t => t != RaggedBatch.Ignore));
    }
}

/// <summary>An update on preference pairs without a reference, the loss on the chosen rows beside it.</summary>
public static class OrpoStep
{
    /// <summary>One update: the mean over the pairs of each micro-batch, then over micro-batches.</summary>
    /// <exception cref="TrainingException">ATT5120: it diverged.</exception>
    public static UpdateResult Run(Decoder decoder, Optimiser optimiser, UpdateSettings settings, double beta, IReadOnlyList<OrpoBatch> microBatches, PairMeters meters) =>
        UpdateStep.Run(optimiser, settings, microBatches.Select(b => (Func<Tensor>)(() => Loss(decoder, beta, b, meters) / (double)microBatches.Count)));

    /// <summary>The loss of one micro-batch.</summary>
    public static Tensor Loss(Decoder decoder, double beta, OrpoBatch batch, PairMeters meters)
    {
        using var scope = NewDisposeScope();
        var logProbs_N = decoder.LogProbs(batch.Rows);
        var completion_N = tensor(Array.ConvertAll(batch.Completion, c => c ? 1f : 0f), device: logProbs_N.device);
        var means = (RowSums.Of(logProbs_N * completion_N, batch.Rows) / RowSums.Of(completion_N, batch.Rows)).chunk(2);
        var (chosenTokens, chosenTargets) = (batch.Rows.Starts[batch.Pairs], RowSums.Targets(batch.Rows).Take(batch.Pairs).Sum());
        var nll = -logProbs_N.narrow(0, 0, chosenTokens).sum() / (double)chosenTargets;
        meters.Add(beta * means[0], beta * means[1], means[0], means[1]);
        return OrpoLoss.Of(nll, means[0], means[1], beta).MoveToOuterDisposeScope();
    }

    /// <summary>A forward and backward pass that changes nothing; how many tokens it had.</summary>
    public static long Trial(Decoder decoder, Optimiser optimiser, double beta, IReadOnlyList<OrpoBatch> microBatches)
    {
        UpdateStep.Gradients(microBatches.Select(b => (Func<Tensor>)(() => Loss(decoder, beta, b, new PairMeters()))));
        optimiser.ZeroGradients();
        return microBatches.Sum(b => (long)b.Rows.Tokens);
    }

    /// <summary>The mean loss of pairs, without gradients, and their meters.</summary>
    public static double Evaluate(Decoder decoder, double beta, IEnumerable<OrpoBatch> batches, PairMeters meters) =>
        PairMeters.Mean(batches, b => Loss(decoder, beta, b, meters), b => b.Pairs);
}
