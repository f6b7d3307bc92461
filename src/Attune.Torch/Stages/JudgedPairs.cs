using Attune.Core.Data;
using Attune.Core.Preferences;
using Attune.Core.Randomness;
using Attune.Core.Rewards;
using Attune.Core.Tokens;
using Attune.Torch.Models;

namespace Attune.Torch.Stages;

/// <summary>What a judge was asked in an iteration.</summary>
/// <param name="Calls">Comparisons: two a pair, one in each order.</param>
/// <param name="Seconds">How long that took.</param>
internal readonly record struct JudgeCost(long Calls, double Seconds);

/// <summary>
/// A judge beside a reward model: it compares a few pairs of an iteration's answers, each two to one prompt, so that drift shows
/// where no rule knows what is right. What it said is kept with the answers, and nobody asks it again.
/// </summary>
/// <param name="judge">Says what two answers to one prompt are worth beside each other; equal ones tie.</param>
/// <param name="reward">The model that is measured.</param>
/// <param name="prompts">The prompts of the stage.</param>
/// <param name="tokenizer">Reads the answers.</param>
/// <param name="options">How many pairs.</param>
/// <param name="time">The clock.</param>
internal sealed class JudgedPairs(IReward judge, RewardModel reward, IReadOnlyList<PromptRow> prompts, Tokenizer tokenizer, RolloutOptions options, TimeProvider time)
{
    /// <summary>Calls of a comparison.</summary>
    public static readonly int CallsOfAPair = JudgeRanker.Calls(2);

    /// <summary>What the judge will be asked at most, for people.</summary>
    public string Tell(long iterations)
    {
        var pairs = Math.Min(options.JudgePairs, options.Prompts);
        return FormattableString.Invariant($"A judge compares up to {pairs} pairs of answers in each of {iterations} iterations, both ways: at most {CallsOfAPair * pairs * iterations} calls, whose time stands beside that of the run.");
    }

    /// <summary>The same answers with what the judge says of the reward model.</summary>
    /// <param name="set">The answers of an iteration.</param>
    /// <param name="random">Decides which are compared.</param>
    /// <exception cref="PreferenceException">ATT2416: no judgement could be read; ATT2417: the endpoint fails.</exception>
    public RolloutSet Compare(RolloutSet set, RandomStream random)
    {
        var start = time.GetTimestamp();
        RewardedAnswer[] said = [.. set.Answers.Select(a => RewardSource.Answer(a, prompts[a.Prompt], tokenizer))];
        int[][] pairs = [.. Pairs(set.Answers, said, random).Take(options.JudgePairs)];
        if (pairs.Length == 0)
            return set;
        var (agreement, mute) = (default(RewardAgreement), new List<PreferenceException>());
        foreach (var pair in pairs)
        {
            try
            {
                var scores = RolloutScores.Scores(reward, [.. pair.Select(i => set.Answers[i])], options.MicroBatchTokens);
                agreement = agreement.Plus(RewardAgreement.Of(judge.Score([.. pair.Select(i => said[i])]), [.. scores.Select(s => (double)s)], [0, 0]));
            }
            catch (PreferenceException e) when (e.Code == PreferenceException.UnreadableCode)
            {
                // A pair of which nothing can be read is no more than a tie; where that is all of them, the judge cannot judge.
                mute.Add(e);
            }
        }
        return mute.Count == pairs.Length ? throw mute[0] : set with { Agreement = agreement, Judged = new(CallsOfAPair * pairs.Length, time.GetElapsedTime(start).TotalSeconds) };
    }

    // Of each prompt two answers that differ, neither empty; prompts and answers in an order of their own.
    private static IEnumerable<int[]> Pairs(IReadOnlyList<Rollout> answers, RewardedAnswer[] said, RandomStream random)
    {
        int[][] groups = [.. Enumerable.Range(0, answers.Count).Where(i => !string.IsNullOrWhiteSpace(said[i].Text)).GroupBy(i => answers[i].Prompt).Select(g => g.ToArray())];
        foreach (var group in random.Permutation(groups.Length).Select(g => groups[g]))
        {
            int[] different = [.. random.Permutation(group.Length).Select(i => group[i]).DistinctBy(i => said[i].Text.Trim(), StringComparer.Ordinal)];
            if (different.Length > 1)
                yield return different[..2];
        }
    }
}
