using Attune.Core.Data;
using Attune.Torch.Losses;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Stages;

/// <summary>Answers with their advantages.</summary>
/// <param name="Rows">Prompt and answer, S rows; the targets are the answers' M tokens.</param>
/// <param name="Advantages">A, S.</param>
/// <param name="Old">ln π_old, M; empty where this is the first update since the answers were given, and π is π_old.</param>
/// <param name="Reference">ln ref, M; empty where β is 0.</param>
public sealed record GrpoBatch(RaggedBatch Rows, float[] Advantages, float[] Old, float[] Reference)
{
    /// <summary>M.</summary>
    public int Completion => Rows.Tokens - Rows.Targets.AsSpan().Count(RaggedBatch.Ignore);
}

/// <summary>An update from answers that are compared with each other.</summary>
public static class GrpoStep
{
    /// <summary>One update: normalised by the rows or tokens of all micro-batches together (trl#6809).</summary>
    /// <exception cref="TrainingException">ATT5120: it diverged.</exception>
    public static UpdateResult Run(Decoder decoder, Optimiser optimiser, UpdateSettings settings, GrpoObjective objective, double temperature, IReadOnlyList<GrpoBatch> microBatches, GrpoMeters meters) =>
        UpdateStep.Run(optimiser, settings, Parts(decoder, objective, temperature, microBatches, meters));

    /// <summary>A forward and backward pass that changes nothing; how many tokens it had.</summary>
    public static long Trial(Decoder decoder, Optimiser optimiser, GrpoObjective objective, double temperature, IReadOnlyList<GrpoBatch> microBatches)
    {
        UpdateStep.Gradients(Parts(decoder, objective, temperature, microBatches, new GrpoMeters()));
        optimiser.ZeroGradients();
        return microBatches.Sum(b => (long)b.Rows.Tokens);
    }

    /// <summary>The loss of one micro-batch: its part of the update's.</summary>
    public static Tensor Loss(Decoder decoder, GrpoObjective objective, double temperature, GrpoBatch batch, UpdateSize size, GrpoMeters meters)
    {
        using var scope = NewDisposeScope();
        using var tokens = CompletionTokens.Of(batch.Rows, decoder.Device);
        var logProbs_M = tokens.Take(decoder.LogProbs(batch.Rows, temperature: temperature));
        var old_M = batch.Old.Length == 0 ? logProbs_M.detach() : tensor(batch.Old, device: decoder.Device);
        var reference_M = batch.Reference.Length == 0 ? null : tensor(batch.Reference, device: decoder.Device);
        meters.Add(objective, tokens, logProbs_M, old_M, reference_M);
        return GrpoLoss.Of(objective, tokens, logProbs_M, old_M, reference_M, tensor(batch.Advantages, device: decoder.Device), size).MoveToOuterDisposeScope();
    }

    private static IEnumerable<Func<Tensor>> Parts(Decoder decoder, GrpoObjective objective, double temperature, IReadOnlyList<GrpoBatch> microBatches, GrpoMeters meters)
    {
        var size = new UpdateSize(microBatches.Count, microBatches.Sum(b => (long)b.Rows.Rows), microBatches.Sum(b => (long)b.Completion));
        return microBatches.Select(b => (Func<Tensor>)(() => Loss(decoder, objective, temperature, b, size, meters)));
    }
}
