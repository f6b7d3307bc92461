using Attune.Core.Data;
using Attune.Torch.Losses;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Stages;

/// <summary>Answers with what is learnt from each of their M tokens.</summary>
/// <param name="Rows">Prompt and answer; the targets are the answers' tokens.</param>
/// <param name="Old">ln π_old, M.</param>
/// <param name="Advantages">A, M.</param>
/// <param name="Values">V_old, M.</param>
/// <param name="Returns">R, M.</param>
public sealed record PpoBatch(RaggedBatch Rows, float[] Old, float[] Advantages, float[] Values, float[] Returns);

/// <summary>What PPO minimises.</summary>
/// <param name="PolicyClip">ε of the policy.</param>
/// <param name="ValueClip">ε of the values.</param>
/// <param name="ValueCoefficient">Weight of the value loss.</param>
/// <param name="Temperature">τ: the logits of policy and reference are divided by it.</param>
public readonly record struct PpoObjective(double PolicyClip, double ValueClip, double ValueCoefficient, double Temperature);

/// <summary>An update of a policy and its value model.</summary>
public static class PpoStep
{
    /// <summary>One update: means over the tokens of all micro-batches together.</summary>
    /// <exception cref="TrainingException">ATT5120: it diverged.</exception>
    public static UpdateResult Run(Decoder policy, RewardModel value, Optimiser optimiser, UpdateSettings settings, PpoObjective objective, IReadOnlyList<PpoBatch> microBatches, PpoMeters meters) =>
        UpdateStep.Run(optimiser, settings, Parts(policy, value, objective, microBatches, meters));

    /// <summary>A forward and backward pass that changes nothing; how many tokens it had.</summary>
    public static long Trial(Decoder policy, RewardModel value, Optimiser optimiser, PpoObjective objective, IReadOnlyList<PpoBatch> microBatches)
    {
        UpdateStep.Gradients(Parts(policy, value, objective, microBatches, new PpoMeters()));
        optimiser.ZeroGradients();
        return microBatches.Sum(b => (long)b.Rows.Tokens);
    }

    /// <summary>The loss of one micro-batch, by its share of the update's tokens.</summary>
    public static Tensor Loss(Decoder policy, RewardModel value, PpoObjective objective, PpoBatch batch, double share, PpoMeters meters)
    {
        using var scope = NewDisposeScope();
        using var tokens = CompletionTokens.Of(batch.Rows, policy.Device);
        var (old_M, advantages_M) = (tensor(batch.Old, device: policy.Device), tensor(batch.Advantages, device: policy.Device));
        var logProbs_M = tokens.Take(policy.LogProbs(batch.Rows, temperature: objective.Temperature));
        var policyLoss = PpoLoss.Policy(logProbs_M, old_M, advantages_M, objective.PolicyClip);
        var valueLoss = PpoLoss.Value(tokens.Take(value.Values(batch.Rows)), tensor(batch.Values, device: policy.Device), tensor(batch.Returns, device: policy.Device), objective.ValueClip);
        meters.Add(logProbs_M, old_M, objective.PolicyClip, share, policyLoss, valueLoss);
        return (share * (policyLoss + objective.ValueCoefficient * valueLoss)).MoveToOuterDisposeScope();
    }

    private static IEnumerable<Func<Tensor>> Parts(Decoder policy, RewardModel value, PpoObjective objective, IReadOnlyList<PpoBatch> microBatches, PpoMeters meters)
    {
        var tokens = microBatches.Sum(b => (long)b.Old.Length);
        return microBatches.Select(b => (Func<Tensor>)(() => Loss(policy, value, objective, b, (double)b.Old.Length / tokens, meters)));
    }
}
