using Attune.Core.Evaluation.Statistics;
using Attune.Core.Rewards;

namespace Attune.Torch.Stages;

/// <summary>What a person watches of the answers that a policy gives.</summary>
internal static class RolloutMeters
{
    // Of what was measured before, so much still counts an iteration later: some five iterations together.
    private const double Memory = 0.8;

    // The start is measured on so many pairs at least, in as many iterations as they take: a few say nothing to compare with.
    private const double StartPairs = 30;

    /// <summary>Scores, lengths and ends, averaged over answers; entropy as −mean ln p over their tokens.</summary>
    public static IEnumerable<KeyValuePair<string, double>> Figures(RolloutSet set)
    {
        var (rollouts, agreement) = (set.Answers, set.Agreement);
        yield return new("answers/score", rollouts.Average(r => r.Score));
        yield return new("answers/length", rollouts.Average(r => r.Length));
        yield return new("answers/ended", rollouts.Average(r => r.Ended ? 1.0 : 0));
        if (rollouts[0].Old.Length > 0)
            yield return new("answers/entropy", -rollouts.Sum(r => r.Old.Sum(p => (double)p)) / rollouts.Sum(r => r.Length));
        if (set.Judged.Calls > 0)
        {
            yield return new("judge/calls", set.Judged.Calls);
            yield return new("judge/ties", set.Judged.Calls / JudgedPairs.CallsOfAPair - agreement.Pairs);
        }
        if (agreement.Pairs == 0)
            yield break;
        yield return new("reward_model/accuracy", agreement.Accuracy);
        yield return new("reward_model/pairs", agreement.Pairs);
    }

    /// <summary>
    /// What a person must know of an iteration's answers, or null. Where nearly all are cut, a reward for a finished answer is
    /// never paid and nothing is learnt (trl#5697). Told once, after the first iteration.
    /// </summary>
    public static string? Warning(IReadOnlyList<Rollout> rollouts, RolloutOptions options, long iteration) =>
        iteration == 0 && rollouts.Count(r => !r.Ended) is var cut && cut > 0.9 * rollouts.Count
            ? FormattableString.Invariant($"{cut} of {rollouts.Count} answers did not end within {options.MaxNewTokens} tokens: raise max_new_tokens, or start from a version that learnt to end its turn.")
            : null;

    /// <summary>The state after an iteration whose answers the truth has judged.</summary>
    public static RunState Observe(this RunState state, RewardAgreement agreement)
    {
        if (agreement.Pairs == 0)
            return state;
        var starting = state.RewardStartPairs < StartPairs;
        var startPairs = state.RewardStartPairs + (starting ? agreement.Pairs : 0);
        return state with
        {
            RewardStart = starting ? ((state.RewardStart ?? 0) * state.RewardStartPairs + agreement.Right) / startPairs : state.RewardStart,
            RewardStartPairs = startPairs,
            RewardRight = Memory * state.RewardRight + agreement.Right,
            RewardPairs = Memory * state.RewardPairs + agreement.Pairs,
        };
    }

    /// <summary>The state once the answers of an iteration are learnt, and what they cost.</summary>
    public static RunState Learnt(this RunState state, RolloutSet set) => state.Observe(set.Agreement) with
    {
        Sampled = state.Sampled + set.Answers.Sum(r => (long)r.Length),
        Score = set.Answers.Average(r => r.Score),
        JudgeCalls = state.JudgeCalls + set.Judged.Calls,
        JudgeSeconds = state.JudgeSeconds + set.Judged.Seconds,
    };

    /// <summary>A warning where the reward model now orders the policy's answers worse than at the start, chance allowed for; else null.</summary>
    public static string? Drift(this RunState state)
    {
        if (state.RewardStart is not { } start || state.RewardPairs < 1)
            return null;
        // The test of two shares with a common variance.
        var (share, pooled) = (state.RewardRight / state.RewardPairs, (start * state.RewardStartPairs + state.RewardRight) / (state.RewardStartPairs + state.RewardPairs));
        return start - share > Wilson.Z95 * Math.Sqrt(pooled * (1 - pooled) * (1 / state.RewardStartPairs + 1 / state.RewardPairs))
            ? FormattableString.Invariant($"The reward model orders {share:P0} of the policy's own answers as the truth does; at the start it was {start:P0}. It drifts: attune reward refresh trains it on them.")
            : null;
    }
}
