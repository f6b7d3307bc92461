using Attune.Core.Data;
using Attune.Torch.Losses;
using Attune.Torch.Models;
using Attune.Torch.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Stages;

/// <summary>What models give the tokens of answers, without gradients.</summary>
internal static class RolloutScores
{
    // The same policy in other batches gives other log-probabilities in bfloat16: six in ten ratios leave [0.9, 1.1], none in float32 (verl#6280).
    private const string HalfMoves = "In bf16 the log-probabilities of one policy differ from batch to batch, so ratios are off before anything is learnt: prefer --dtype f32 for this stage.";

    /// <summary>What is to be said before a stage that learns from ratios of probabilities.</summary>
    public static IReadOnlyList<string> Warnings(TrainingOptions options) => options.Dtype == ComputeType.Bf16 ? [HalfMoves] : [];

    /// <summary>ln p of each token of each answer at a temperature.</summary>
    public static float[][] LogProbs(Decoder decoder, IReadOnlyList<Rollout> rollouts, double temperature, int microBatchTokens) =>
        Tokens(rollouts, microBatchTokens, decoder.Device, batch => decoder.LogProbs(batch, temperature: temperature));

    /// <summary>V of the state before each token of each answer.</summary>
    public static float[][] Values(RewardModel value, IReadOnlyList<Rollout> rollouts, int microBatchTokens) =>
        Tokens(rollouts, microBatchTokens, value.Device, value.Values);

    /// <summary>The score of each answer, read at its last token, which is never a pad for there is none (trl#3750).</summary>
    public static float[] Scores(RewardModel reward, IReadOnlyList<Rollout> rollouts, int microBatchTokens)
    {
        var scores = new float[rollouts.Count];
        foreach (var bin in Bins(rollouts, microBatchTokens))
        {
            var some = RewardStep.Score(reward, Rollout.Batch(bin.Select(i => rollouts[i])));
            for (var i = 0; i < bin.Length; i++)
                scores[bin[i]] = some[i];
        }
        return scores;
    }

    /// <summary>A score at every token of an answer, N with the prompts: the value model as a function of a batch.</summary>
    public static Tensor Values(this RewardModel value, RaggedBatch batch)
    {
        using var stream = TokenStream.Of(batch, value.Device);
        return value.TokenScores(stream);
    }

    /// <summary>Rollouts in bins of at most so many tokens.</summary>
    public static IEnumerable<int[]> Bins(IReadOnlyList<Rollout> rollouts, int tokens) =>
        Packer.BestFit([.. rollouts.Select(r => r.Ids.Length)], Math.Max(tokens, rollouts.Max(r => r.Ids.Length)));

    private static float[][] Tokens(IReadOnlyList<Rollout> rollouts, int microBatchTokens, Device device, Func<RaggedBatch, Tensor> of)
    {
        using var noGradient = no_grad();
        var scores = new float[rollouts.Count][];
        foreach (var bin in Bins(rollouts, microBatchTokens))
        {
            using var scope = NewDisposeScope();
            var batch = Rollout.Batch(bin.Select(i => rollouts[i]));
            using var tokens = CompletionTokens.Of(batch, device);
            var values = tokens.Take(of(batch)).cpu().data<float>().ToArray();
            for (var i = 0; i < bin.Length; i++)
                scores[bin[i]] = values[tokens.Starts[i]..tokens.Starts[i + 1]];
        }
        return scores;
    }
}
