using Attune.Core.Data;
using Attune.Torch.Losses;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Stages;

/// <summary>What SimPO minimises.</summary>
/// <param name="Beta">β.</param>
/// <param name="Gamma">γ.</param>
/// <param name="SftWeight">Weight of the chosen completions' cross-entropy.</param>
public readonly record struct SimpoObjective(double Beta, double Gamma, double SftWeight = 0);

/// <summary>An update on preference pairs without a reference.</summary>
public static class SimpoStep
{
    /// <summary>One update: the mean over the pairs of each micro-batch (2P rows, the chosen first), then over micro-batches.</summary>
    /// <exception cref="TrainingException">ATT5120: it diverged.</exception>
    public static UpdateResult Run(Decoder decoder, Optimiser optimiser, UpdateSettings settings, SimpoObjective objective, IReadOnlyList<RaggedBatch> microBatches, PairMeters meters) =>
        UpdateStep.Run(optimiser, settings, microBatches.Select(b => (Func<Tensor>)(() => Loss(decoder, objective, b, meters) / (double)microBatches.Count)));

    /// <summary>The loss of one micro-batch.</summary>
    public static Tensor Loss(Decoder decoder, SimpoObjective objective, RaggedBatch batch, PairMeters meters)
    {
        using var scope = NewDisposeScope();
        var sums_S = RowSums.Of(decoder.LogProbs(batch), batch);
        var tokens_S = tensor(Array.ConvertAll(RowSums.Targets(batch), n => (float)n), device: sums_S.device);
        var means = (sums_S / tokens_S).chunk(2);
        meters.Add(objective.Beta * means[0], objective.Beta * means[1], means[0], means[1]);
        var loss = SimpoLoss.Of(means[0], means[1], objective.Beta, objective.Gamma);
        if (objective.SftWeight > 0)
            loss += objective.SftWeight * (-sums_S.chunk(2)[0].sum() / tokens_S.chunk(2)[0].sum());
        return loss.MoveToOuterDisposeScope();
    }

    /// <summary>A forward and backward pass that changes nothing; how many tokens it had.</summary>
    public static long Trial(Decoder decoder, Optimiser optimiser, SimpoObjective objective, IReadOnlyList<RaggedBatch> microBatches)
    {
        UpdateStep.Gradients(microBatches.Select(b => (Func<Tensor>)(() => Loss(decoder, objective, b, new PairMeters()))));
        optimiser.ZeroGradients();
        return microBatches.Sum(b => (long)b.Tokens);
    }

    /// <summary>The mean loss of pairs, without gradients, and their meters.</summary>
    public static double Evaluate(Decoder decoder, SimpoObjective objective, IEnumerable<RaggedBatch> batches, PairMeters meters) =>
        PairMeters.Mean(batches, b => Loss(decoder, objective, b, meters), b => b.Rows / 2);
}
