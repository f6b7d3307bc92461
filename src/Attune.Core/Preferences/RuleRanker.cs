using System.Text.Json.Nodes;
using Attune.Core.Data;
using Attune.Core.Rewards;

namespace Attune.Core.Preferences;

/// <summary>Rules as ranker: an answer's score is the weight of the rules that it keeps, so answers that keep as much are ties.</summary>
public sealed class RuleRanker(IReadOnlyList<RewardRule> rules) : IAnswerRanker
{
    /// <inheritdoc/>
    public string By => "rules";

    /// <inheritdoc/>
    public string Name => "rules";

    /// <summary>Reads rules as they are written on the command line.</summary>
    /// <exception cref="RewardException">ATT5204: there is no such rule, or its pattern cannot be read.</exception>
    public static RuleRanker Parse(IReadOnlyList<string> rules) => new([.. rules.Select(RewardRule.Parse)]);

    /// <summary>What an answer is worth.</summary>
    /// <exception cref="PreferenceException">ATT2414: a rule compares with the right answer, and there is none.</exception>
    public double Score(PromptRow prompt, string answer) => rules.Sum(r => Score(r, prompt, answer));

    /// <summary>Whether a rule compares with the right answer, so that only prompts that have one can be scored.</summary>
    public bool NeedsAnswer => rules.Any(r => r.NeedsAnswer);

    /// <summary>What the best answer is worth.</summary>
    public double Best => rules.Sum(r => Math.Max(0, r.Weight));

    /// <inheritdoc/>
    public Task<RankedAnswers> RankAsync(RankTask task, CancellationToken cancel = default)
    {
        var prompt = new PromptRow(task.Prompt, task.Reference, new RowOrigin(task.Id, 1));
        var outcomes = new JsonObject(rules.Select(r => KeyValuePair.Create(r.Text, (JsonNode?)new JsonArray([.. task.Answers.Select(a => (JsonNode)Score(r, prompt, a.Text))]))));
        return Task.FromResult(new RankedAnswers([.. task.Answers.Select(a => Score(prompt, a.Text))], outcomes));
    }

    private static double Score(RewardRule rule, PromptRow prompt, string answer) => rule.NeedsAnswer && string.IsNullOrWhiteSpace(prompt.Answer)
        ? throw PreferenceException.NoReference(rule.Text)
        : rule.Score(new RewardedAnswer(prompt, answer, Ended: true));
}
