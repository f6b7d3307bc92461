using Attune.Core.Data;
using Attune.Core.Randomness;
using Attune.Torch.Losses;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Stages;

/// <summary>A micro-batch of S labelled answers, and S rows of the same prompts with the answers of others.</summary>
/// <param name="Rows">The answers; their targets are the completions' tokens.</param>
/// <param name="Mismatched">The same prompts, answered by other rows' completions: what the KL is estimated on.</param>
/// <param name="Reference">Σ ln p of each answer under the reference, S.</param>
/// <param name="MismatchedReference">The same of each mismatched row, S.</param>
/// <param name="Desirable">The labels, S.</param>
public sealed record KtoBatch(RaggedBatch Rows, RaggedBatch Mismatched, float[] Reference, float[] MismatchedReference, bool[] Desirable);

/// <summary>What KTO minimises.</summary>
/// <param name="Beta">β.</param>
/// <param name="DesirableWeight">w_d.</param>
/// <param name="UndesirableWeight">w_u.</param>
public readonly record struct KtoObjective(double Beta, double DesirableWeight = 1, double UndesirableWeight = 1);

/// <summary>An update on labelled answers.</summary>
public static class KtoStep
{
    /// <summary>One update: the mean over the answers of each micro-batch, then over micro-batches.</summary>
    /// <exception cref="TrainingException">ATT5120: it diverged.</exception>
    public static UpdateResult Run(Decoder decoder, Optimiser optimiser, UpdateSettings settings, KtoObjective objective, IReadOnlyList<KtoBatch> microBatches, KtoMeters meters) =>
        UpdateStep.Run(optimiser, settings, microBatches.Select(b => (Func<Tensor>)(() => Loss(decoder, objective, b, meters) / (double)microBatches.Count)));

    /// <summary>The loss of one micro-batch.</summary>
    public static Tensor Loss(Decoder decoder, KtoObjective objective, KtoBatch batch, KtoMeters meters)
    {
        using var scope = NewDisposeScope();
        var logProbs_S = RowSums.Of(decoder.LogProbs(batch.Rows), batch.Rows);
        var (ratios_S, device) = (logProbs_S - tensor(batch.Reference, device: logProbs_S.device), logProbs_S.device);
        var z = KtoLoss.Baseline(tensor(DpoStep.Score(decoder, batch.Mismatched), device: device) - tensor(batch.MismatchedReference, device: device));
        var signs_S = tensor(Array.ConvertAll(batch.Desirable, d => d ? 1f : -1f), device: device);
        var weights_S = tensor(Array.ConvertAll(batch.Desirable, d => (float)(d ? objective.DesirableWeight : objective.UndesirableWeight)), device: device);
        meters.Add(logProbs_S, objective.Beta * ratios_S, batch.Desirable, z.item<float>());
        return KtoLoss.Of(ratios_S, signs_S, weights_S, z, objective.Beta).MoveToOuterDisposeScope();
    }

    /// <summary>A forward and backward pass that changes nothing; how many tokens it had.</summary>
    public static long Trial(Decoder decoder, Optimiser optimiser, KtoObjective objective, IReadOnlyList<KtoBatch> microBatches)
    {
        UpdateStep.Gradients(microBatches.Select(b => (Func<Tensor>)(() => Loss(decoder, objective, b, new KtoMeters()))));
        optimiser.ZeroGradients();
        return microBatches.Sum(b => (long)b.Rows.Tokens);
    }

    /// <summary>The mean loss of answers, without gradients, and their meters.</summary>
    public static double Evaluate(Decoder decoder, KtoObjective objective, IEnumerable<KtoBatch> batches, KtoMeters meters) =>
        PairMeters.Mean(batches, b => Loss(decoder, objective, b, meters), b => b.Rows.Rows);

    /// <summary>
    /// Every prompt with the completion of another row, the same one in the whole run: one random circle through all rows.
    /// Neighbours in a file will not do, for they are often answers to one prompt.
    /// </summary>
    /// <param name="rows">The answers.</param>
    /// <param name="window">Longest row: what is beyond it is cut.</param>
    /// <param name="random">Draws the circle.</param>
    public static List<TokenRow> Mismatch(IReadOnlyList<TokenRow> rows, int window, RandomStream random)
    {
        var order = random.Permutation(rows.Count);
        var mismatched = new TokenRow[rows.Count];
        for (var i = 0; i < order.Length; i++)
        {
            var (prompt, answer) = (rows[order[i]], rows[order[(i + 1) % order.Length]]);
            var (end, start) = (FirstTrained(prompt), FirstTrained(answer));
            var ids = (int[])[.. prompt.Ids[..end], .. answer.Ids[start..]];
            var trained = (bool[])[.. prompt.Trained[..end], .. answer.Trained[start..]];
            // The prompt leaves room for one token at least: rows without a completion in the window are not here.
            mismatched[order[i]] = new TokenRow { Ids = ids, Trained = trained, Origin = prompt.Origin }.Cut(Math.Min(window, ids.Length));
        }
        return [.. mismatched];
    }

    private static int FirstTrained(TokenRow row) => Math.Max(1, Array.IndexOf(row.Trained, true));
}
