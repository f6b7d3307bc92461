using System.Text.Json.Nodes;

namespace Attune.Core.Preferences;

/// <summary>What a ranker that is no person thinks of answers.</summary>
/// <param name="Scores">One finite number for each answer; higher is better, equal ones are ties.</param>
/// <param name="Details">Votes, outcomes of rules: what people will want to look behind.</param>
public sealed record RankedAnswers(IReadOnlyList<double> Scores, JsonObject? Details = null);

/// <summary>Ranks answers without people: rules, a reward model, a judge.</summary>
public interface IAnswerRanker
{
    /// <summary>rules, reward or judge.</summary>
    string By { get; }

    /// <summary>What stands as the annotator in the file.</summary>
    string Name { get; }

    /// <summary>Ranks the answers of one task.</summary>
    Task<RankedAnswers> RankAsync(RankTask task, CancellationToken cancel = default);
}
