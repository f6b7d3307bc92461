using Attune.Torch.Losses;

namespace Attune.Torch.Stages;

/// <summary>
/// The answers of an iteration as PPO learns from them. The reward of a token is −β times its KL to the reference; the score
/// comes on top at the answer's last token. Advantages by <see cref="Gae"/>, whitened over all tokens of the iteration.
/// </summary>
internal sealed class PpoExperience
{
    private readonly IReadOnlyList<Rollout> _rollouts;
    private readonly int[] _starts;
    private readonly double[] _advantages, _returns;

    /// <param name="rollouts">With scores, old and reference log-probabilities, and values.</param>
    /// <param name="options">What PPO runs with.</param>
    /// <param name="coefficient">β.</param>
    public PpoExperience(IReadOnlyList<Rollout> rollouts, PpoOptions options, double coefficient)
    {
        _rollouts = rollouts;
        _starts = new int[rollouts.Count + 1];
        for (var i = 0; i < rollouts.Count; i++)
            _starts[i + 1] = _starts[i] + rollouts[i].Length;
        var (rewards, values) = (new double[_starts[^1]], new double[_starts[^1]]);
        for (var i = 0; i < rollouts.Count; i++)
        {
            var (rollout, start) = (rollouts[i], _starts[i]);
            for (var t = 0; t < rollout.Length; t++)
            {
                var kl = options.KlEstimator == "k3" ? KlEstimate.K3(rollout.Old[t], rollout.Reference[t]) : KlEstimate.K1(rollout.Old[t], rollout.Reference[t]);
                rewards[start + t] = -coefficient * kl;
                values[start + t] = rollout.Values[t];
                Kl += KlEstimate.K1(rollout.Old[t], rollout.Reference[t]) / rollouts.Count;
            }
            rewards[_starts[i + 1] - 1] += Worth(rollout, options);
        }
        Reward = rewards.Sum() / rollouts.Count;
        if (options.WhitenRewards)
            Whitening.Apply(rewards, keepMean: true);
        (_advantages, _returns) = (new double[rewards.Length], new double[rewards.Length]);
        for (var i = 0; i < rollouts.Count; i++)
        {
            var row = _starts[i].._starts[i + 1];
            Gae.Of(rewards.AsSpan(row), values.AsSpan(row), options.Gamma, options.Lambda, _advantages.AsSpan(row));
        }
        for (var t = 0; t < rewards.Length; t++)
            _returns[t] = _advantages[t] + values[t];
        Whitening.Apply(_advantages);
    }

    /// <summary>Mean KL of an answer to the reference, in nats.</summary>
    public double Kl { get; }

    /// <summary>Mean of all that an answer was rewarded with, KL included.</summary>
    public double Reward { get; }

    /// <summary>What a score is worth: less the penalty where the answer did not end, then clipped.</summary>
    public static double Worth(Rollout rollout, RolloutOptions options)
    {
        var worth = rollout.Score - (rollout.Ended ? 0 : options.MissingEndPenalty);
        return options.RewardClip > 0 ? Math.Clamp(worth, -options.RewardClip, options.RewardClip) : worth;
    }

    /// <summary>β steered towards a KL (Ziegler et al., arXiv 1909.08593): β·(1 + clip(KL/target − 1, ±.2)·answers/horizon).</summary>
    public static double Steer(double coefficient, double kl, double target, double answers, double horizon) =>
        coefficient * (1 + Math.Clamp(kl / target - 1, -0.2, 0.2) * answers / horizon);

    /// <summary>Answers by index.</summary>
    public PpoBatch Batch(IReadOnlyList<int> indices)
    {
        float[] Part(double[] all) => [.. indices.SelectMany(i => all[_starts[i].._starts[i + 1]]).Select(x => (float)x)];
        return new PpoBatch(Rollout.Batch(indices.Select(i => _rollouts[i])), [.. indices.SelectMany(i => _rollouts[i].Old)],
            Part(_advantages), [.. indices.SelectMany(i => _rollouts[i].Values)], Part(_returns));
    }
}
