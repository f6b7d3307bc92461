using Attune.Core.Data;
using Attune.Torch.Losses;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Stages;

/// <summary>A micro-batch of a reward model: the answers of rankings end to end, each ranking's best first. A pair is a ranking of two.</summary>
/// <param name="Rows">Prompt and answer, S rows, each ending with the token that its score is read at.</param>
/// <param name="Starts">Where each ranking starts among the rows, with S at the end.</param>
/// <param name="Margins">What the difference of each pair must exceed; null for none, and with rankings of more than two.</param>
public sealed record RewardBatch(RaggedBatch Rows, int[] Starts, float[]? Margins = null)
{
    /// <summary>Rankings.</summary>
    public int Rankings => Starts.Length - 1;
}

/// <summary>What a reward model minimises.</summary>
/// <param name="Centring">c.</param>
public readonly record struct RewardObjective(double Centring = 0);

/// <summary>An update of a reward model.</summary>
public static class RewardStep
{
    /// <summary>One update: the mean over the rankings of each micro-batch, then over micro-batches.</summary>
    /// <exception cref="TrainingException">ATT5120: it diverged.</exception>
    public static UpdateResult Run(RewardModel model, Optimiser optimiser, UpdateSettings settings, RewardObjective objective, IReadOnlyList<RewardBatch> microBatches, RewardMeters meters) =>
        UpdateStep.Run(optimiser, settings, microBatches.Select(b => (Func<Tensor>)(() => Loss(model, objective, b, meters) / (double)microBatches.Count)));

    /// <summary>The loss of one micro-batch.</summary>
    public static Tensor Loss(RewardModel model, RewardObjective objective, RewardBatch batch, RewardMeters meters)
    {
        using var scope = NewDisposeScope();
        using var stream = TokenStream.Of(batch.Rows, model.Device);
        var scores_S = model.Scores(stream);
        meters.Add(scores_S, batch.Starts);
        // Pairs by the equation of pairs, which alone has margins; the two are equal without.
        if (!OnlyPairs(batch.Starts))
            return RewardLoss.OfRankings(scores_S, batch.Starts, objective.Centring).MoveToOuterDisposeScope();
        var sides_P2 = scores_S.view(-1, 2);
        return RewardLoss.OfPairs(sides_P2.select(1, 0), sides_P2.select(1, 1), batch.Margins is null ? null : tensor(batch.Margins, device: model.Device), objective.Centring).MoveToOuterDisposeScope();
    }

    /// <summary>A forward and backward pass that changes nothing; how many tokens it had.</summary>
    public static long Trial(RewardModel model, Optimiser optimiser, RewardObjective objective, IReadOnlyList<RewardBatch> microBatches)
    {
        UpdateStep.Gradients(microBatches.Select(b => (Func<Tensor>)(() => Loss(model, objective, b, new RewardMeters()))));
        optimiser.ZeroGradients();
        return microBatches.Sum(b => (long)b.Rows.Tokens);
    }

    /// <summary>The mean loss of rankings, without gradients, and their meters.</summary>
    public static double Evaluate(RewardModel model, RewardObjective objective, IEnumerable<RewardBatch> batches, RewardMeters meters) =>
        PairMeters.Mean(batches, b => Loss(model, objective, b, meters), b => b.Rankings);

    /// <summary>The score of each row, without gradients.</summary>
    /// <exception cref="TrainingException">ATT5208: a score is not finite.</exception>
    public static float[] Score(RewardModel model, RaggedBatch batch)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        using var stream = TokenStream.Of(batch, model.Device);
        var scores = model.Scores(stream).cpu().data<float>().ToArray();
        foreach (var score in scores)
        {
            if (!float.IsFinite(score))
                throw NotFinite(score);
        }
        return scores;
    }

    private static TrainingException NotFinite(float score) => new("ATT5208", FormattableString.Invariant($"The reward model scores an answer {score}."))
    {
        Field = "reward_model",
        Hint = "Its weights are damaged, or its training diverged.",
    };

    private static bool OnlyPairs(int[] starts)
    {
        for (var r = 0; r + 1 < starts.Length; r++)
        {
            if (starts[r + 1] - starts[r] != 2)
                return false;
        }
        return true;
    }
}
