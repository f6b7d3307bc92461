using Attune.Core.Data;
using Attune.Core.Rewards;

namespace Attune.Core.Preferences;

/// <summary>
/// A ranker as a reward: what it gives the answers to one prompt, beside each other. Scores of two prompts are not
/// comparable. Equal answers get equal scores, empty ones less than any other.
/// </summary>
public sealed class RankedReward(IAnswerRanker ranker, CancellationToken cancel = default) : IReward
{
    /// <inheritdoc/>
    public IReadOnlyList<double> Score(IReadOnlyList<RewardedAnswer> answers)
    {
        var scores = new double[answers.Count];
        foreach (var group in Enumerable.Range(0, answers.Count).GroupBy(i => answers[i].Prompt, ReferenceEqualityComparer.Instance))
        {
            cancel.ThrowIfCancellationRequested();
            var prompt = (PromptRow)group.Key!;
            if (RankTask.Of(prompt.Prompt, group.Select(i => new Candidate(answers[i].Text, "policy")), prompt.Answer) is not { } task)
                continue;
            var ranked = ranker.RankAsync(task, cancel).GetAwaiter().GetResult().Scores;
            var byText = task.Answers.Zip(ranked).ToDictionary(a => a.First.Text.Trim(), a => a.Second, StringComparer.Ordinal);
            foreach (var i in group)
                scores[i] = byText.TryGetValue(answers[i].Text.Trim(), out var score) ? score : ranked.Min() - 1;
        }
        return scores;
    }
}
