using System.Text.Json.Nodes;
using Attune.Prompts;

namespace Attune.Core.Data;

/// <summary>
/// One kind of preference from another: pairs with margins from rankings, rankings from scores, labels from pairs. A
/// ranking that stays whole goes to a Plackett–Luce likelihood (Plackett 1975, Luce 1959); as pairs it goes to
/// Bradley and Terry's (1952), the difference of scores being the margin.
/// </summary>
public static class PreferenceForms
{
    internal const string AllTied = "all answers of the prompt are tied: no preference", Alone = "the only scored answer of its prompt";
    private const string OneLabel = "a labelled answer whose prompt has none of the other label", Usual = "the only scored answer of its prompt, and its score is the median";

    /// <summary>
    /// Every pair of a ranking whose scores differ, best first: at most K(K−1)/2. Equal texts make no pair. Whoever trains
    /// on all of them meets the same answers up to K−1 times; keep one prompt's pairs in one batch or one epoch.
    /// </summary>
    public static IEnumerable<PreferenceRow> Pairs(RankingRow ranking)
    {
        var order = ranking.BestFirst;
        for (var i = 0; i < order.Count; i++)
        {
            for (var j = i + 1; j < order.Count; j++)
            {
                var (better, worse) = (order[i], order[j]);
                if (ranking.Scores[better] > ranking.Scores[worse] && !Turns.Same(ranking.Responses[better], ranking.Responses[worse]))
                    yield return new PreferenceRow(ranking.Prompt, ranking.Responses[better], ranking.Responses[worse], ranking.Origin) { Margin = ranking.Scores[better] - ranking.Scores[worse] };
            }
        }
    }

    /// <summary>The same; a ranking in which no answer is better than another is counted as dropped.</summary>
    public static IEnumerable<PreferenceRow> Pairs(RankingRow ranking, RowTally tally)
    {
        if (!ranking.HasPreference)
            tally.Drop(AllTied, ranking.Origin);
        return Pairs(ranking);
    }

    /// <summary>A pair as a ranking of two; a pair without a margin has one of 1.</summary>
    public static RankingRow Ranking(PreferenceRow pair) =>
        new(pair.Prompt, [pair.Chosen, pair.Rejected], [pair.Margin is > 0 and var margin ? margin : 1, 0], pair.Origin);

    /// <summary>Scored answers, put together by their prompt in the order in which prompts come. Answers that stand alone are dropped and counted.</summary>
    public static IEnumerable<RankingRow> Rankings(IEnumerable<ScoredRow> rows, RowTally tally)
    {
        foreach (var group in rows.GroupBy(r => Key(PromptOf(r.Conversation)), StringComparer.Ordinal))
        {
            ScoredRow[] answers = [.. group];
            if (answers.Length == 1)
                tally.Drop(Alone, answers[0].Origin);
            else
                yield return new RankingRow(PromptOf(answers[0].Conversation), [.. answers.Select(a => (IReadOnlyList<Message>)[a.Conversation.Messages[^1]])], [.. answers.Select(a => a.Score)], answers[0].Origin);
        }
    }

    /// <summary>Labels from a ranking: the best are desirable, the worst are not, what lies between says neither; where all are bad, none is desirable.</summary>
    public static IEnumerable<LabelledRow> Labels(RankingRow ranking)
    {
        if (!ranking.AllBad && !ranking.HasPreference)
            yield break;
        var (best, worst) = (ranking.Scores.Max(), ranking.Scores.Min());
        for (var i = 0; i < ranking.Responses.Count; i++)
        {
            if (ranking.Scores[i] == best || ranking.Scores[i] == worst)
                yield return new LabelledRow(With(ranking.Prompt, ranking.Responses[i]), !ranking.AllBad && ranking.Scores[i] == best, ranking.Origin);
        }
    }

    /// <summary>
    /// Labels of the answers that are the only scored one of their prompt: with nothing to compare with, all that a score says is
    /// whether it is above the median of the scores (good) or below (bad). Those at the median are dropped and counted.
    /// </summary>
    public static IEnumerable<LabelledRow> LoneLabels(IEnumerable<ScoredRow> rows, RowTally tally)
    {
        ScoredRow[] all = [.. rows];
        double[] ordered = [.. all.Select(r => r.Score).Order()];
        var median = ordered.Length == 0 ? 0 : (ordered[(ordered.Length - 1) / 2] + ordered[ordered.Length / 2]) / 2;
        foreach (var row in all.GroupBy(r => Key(PromptOf(r.Conversation)), StringComparer.Ordinal).Where(g => g.Count() == 1).Select(g => g.Single()))
        {
            if (row.Score == median)
                tally.Drop(Usual, row.Origin);
            else
                yield return new LabelledRow(row.Conversation, row.Score > median, row.Origin);
        }
    }

    /// <summary>Pairs from labels: each good answer with each bad one to the same prompt. Answers whose prompt has one label alone are dropped and counted.</summary>
    public static IEnumerable<PreferenceRow> Pairs(IEnumerable<LabelledRow> rows, RowTally tally)
    {
        foreach (var group in rows.GroupBy(r => Key(PromptOf(r.Conversation)), StringComparer.Ordinal))
        {
            if (group.DistinctBy(r => r.Desirable).Count() == 1)
            {
                foreach (var row in group)
                    tally.Drop(OneLabel, row.Origin);
                continue;
            }
            var ranking = new RankingRow(PromptOf(group.First().Conversation), [.. group.Select(r => (IReadOnlyList<Message>)[r.Conversation.Messages[^1]])], [.. group.Select(r => r.Desirable ? 1.0 : 0)], group.First().Origin);
            foreach (var pair in Pairs(ranking))
                yield return pair with { Margin = null };
        }
    }

    /// <summary>The two labels of a pair, the chosen's first.</summary>
    public static IEnumerable<LabelledRow> Labels(PreferenceRow pair) =>
        [new(With(pair.Prompt, pair.Chosen), true, pair.Origin), new(With(pair.Prompt, pair.Rejected), false, pair.Origin)];

    /// <summary>A prompt with a completion.</summary>
    public static Conversation With(Conversation prompt, IReadOnlyList<Message> completion) => prompt with { Messages = [.. prompt.Messages, .. completion] };

    /// <summary>A conversation without its last message.</summary>
    public static Conversation PromptOf(Conversation conversation) => conversation with { Messages = [.. conversation.Messages.SkipLast(1)] };

    /// <summary>What makes two prompts the same: their messages, tools included.</summary>
    public static string Key(Conversation prompt) => string.Join('\n', prompt.Messages.Select(Line).Append(prompt.Tools?.ToJsonString()));

    /// <summary>What makes two completions the same.</summary>
    public static string Key(IReadOnlyList<Message> completion) => string.Join('\n', completion.Select(Line));

    private static string Line(Message message) => new JsonArray(message.Role, message.Content, message.Fields?.DeepClone()).ToJsonString();
}
