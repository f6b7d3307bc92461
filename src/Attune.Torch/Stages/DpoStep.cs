using Attune.Core.Data;
using Attune.Torch.Losses;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Stages;

/// <summary>A micro-batch of P pairs: 2P rows, the chosen ones first, with what the reference gave each.</summary>
/// <param name="Rows">The rows; their targets are the completions' tokens.</param>
/// <param name="Reference">Σ ln p of each row under the reference, 2P.</param>
/// <param name="Margins">What the offset loss asks of each pair, P; null for nothing.</param>
public sealed record PairBatch(RaggedBatch Rows, float[] Reference, float[]? Margins = null)
{
    /// <summary>P.</summary>
    public int Pairs => Rows.Rows / 2;
}

/// <summary>What is minimised.</summary>
/// <param name="Form">One of <see cref="DpoLoss.Names"/>.</param>
/// <param name="Beta">β.</param>
/// <param name="Smoothing">ε.</param>
/// <param name="SftWeight">Weight of the chosen completions' cross-entropy, added to keep their probability from falling.</param>
public readonly record struct DpoObjective(string Form, double Beta, double Smoothing = 0, double SftWeight = 0);

/// <summary>An update on preference pairs.</summary>
public static class DpoStep
{
    /// <summary>
    /// One update: the mean over the pairs of each micro-batch, then over micro-batches, as TRL does.
    /// </summary>
    /// <param name="decoder">The policy.</param>
    /// <param name="optimiser">Its optimiser.</param>
    /// <param name="settings">Step, rate, clip.</param>
    /// <param name="objective">What is minimised.</param>
    /// <param name="microBatches">The pairs.</param>
    /// <param name="meters">Takes rewards, margins and accuracy, weighted by pairs.</param>
    /// <exception cref="TrainingException">ATT5120: it diverged.</exception>
    public static UpdateResult Run(Decoder decoder, Optimiser optimiser, UpdateSettings settings, DpoObjective objective, IReadOnlyList<PairBatch> microBatches, PairMeters meters) =>
        UpdateStep.Run(optimiser, settings, microBatches.Select(b => (Func<Tensor>)(() => Loss(decoder, objective, b, meters) / (double)microBatches.Count)));

    /// <summary>The loss of one micro-batch.</summary>
    public static Tensor Loss(Decoder decoder, DpoObjective objective, PairBatch batch, PairMeters meters)
    {
        using var scope = NewDisposeScope();
        var sums = RowSums.Of(decoder.LogProbs(batch.Rows), batch.Rows).chunk(2);
        var reference = tensor(batch.Reference, device: sums[0].device).chunk(2);
        var tokens = tensor(Array.ConvertAll(RowSums.Targets(batch.Rows), n => (float)n), device: sums[0].device).chunk(2);
        var pairs = new PairLogProbs
        {
            Chosen = sums[0],
            Rejected = sums[1],
            ReferenceChosen = reference[0],
            ReferenceRejected = reference[1],
            ChosenTokens = tokens[0],
            RejectedTokens = tokens[1],
            Margins = batch.Margins is null ? zeros_like(sums[0]) : tensor(batch.Margins),
        };
        meters.Add(pairs, objective.Beta);
        var loss = DpoLoss.Of(objective.Form, pairs, objective.Beta, objective.Smoothing);
        if (objective.SftWeight > 0)
            loss += objective.SftWeight * (-pairs.Chosen.sum() / pairs.ChosenTokens.sum());
        return loss.MoveToOuterDisposeScope();
    }

    /// <summary>A forward and backward pass that changes nothing; how many tokens it had.</summary>
    public static long Trial(Decoder decoder, Optimiser optimiser, DpoObjective objective, IReadOnlyList<PairBatch> microBatches)
    {
        UpdateStep.Gradients(microBatches.Select(b => (Func<Tensor>)(() => Loss(decoder, objective, b, new PairMeters()))));
        optimiser.ZeroGradients();
        return microBatches.Sum(b => (long)b.Rows.Tokens);
    }

    /// <summary>The mean loss of pairs, without gradients, and their meters.</summary>
    public static double Evaluate(Decoder decoder, DpoObjective objective, IEnumerable<PairBatch> batches, PairMeters meters) =>
        PairMeters.Mean(batches, b => Loss(decoder, objective, b, meters), b => b.Pairs);

    /// <summary>Σ ln p of each row of a batch, without gradients: what a reference gives.</summary>
    public static float[] Score(Decoder decoder, RaggedBatch batch)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        return RowSums.Of(decoder.LogProbs(batch), batch).cpu().Floats().ToArray();
    }
}
