using Attune.Core.Evaluation.Statistics;

namespace Attune.Core.Evaluation;

/// <summary>One item of a dataset.</summary>
/// <param name="Id">Stable name.</param>
/// <param name="Input">What is asked: a text or a user's message.</param>
/// <param name="Target">The right answer.</param>
public sealed record EvalItem(string Id, string Input, string Target)
{
    /// <summary>The answers to choose from, where it is a choice.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>Items of one cluster (a document, a conversation) are not independent; null stands alone.</summary>
    public string? Cluster { get; init; }
}

/// <summary>Gets the answers of a model, in the order of the items.</summary>
public delegate Task<IReadOnlyList<string>> Solver(IReadOnlyList<EvalItem> items, CancellationToken cancel);

/// <summary>What an answer is worth, from 0 to 1.</summary>
public delegate double Scorer(EvalItem item, string answer);

/// <summary>An answer with its worth.</summary>
public sealed record EvalAnswer(EvalItem Item, string Answer, double Score);

/// <summary>An evaluation: what is asked, how a model is asked, and what its answers are worth. Parts combine freely.</summary>
public sealed record EvalTask(string Name, IReadOnlyList<EvalItem> Dataset, Solver Solver, Scorer Scorer)
{
    /// <summary>Asks everything and scores it.</summary>
    public async Task<IReadOnlyList<EvalAnswer>> RunAsync(CancellationToken cancel = default)
    {
        var answers = await Solver(Dataset, cancel);
        return [.. Dataset.Zip(answers, (item, answer) => new EvalAnswer(item, answer, Scorer(item, answer)))];
    }

    /// <summary>
    /// The figure of a run. Scores that are all 0 or 1 on unclustered items get Wilson's interval, others the mean's,
    /// with the clustered standard error where there are clusters. Chance is the best that one fixed answer would score.
    /// </summary>
    /// <param name="answers">Of <see cref="RunAsync"/>.</param>
    /// <param name="group">Whose they are.</param>
    /// <param name="seed">The seed that the items were drawn with.</param>
    public ReportRow Row(IReadOnlyList<EvalAnswer> answers, string group, long seed = 0)
    {
        var scores = answers.Select(a => a.Score).ToArray();
        var clustered = answers.Any(a => a.Item.Cluster is not null);
        var row = new ReportRow
        {
            Metric = Name,
            Group = group,
            Value = double.NaN,
            Low = 0,
            High = 1,
            N = scores.Length,
            Chance = Chance(answers),
            Method = "no items",
            Seed = seed,
        };
        if (scores.Length == 0)
            return row;
        if (!clustered && scores.All(s => s is 0 or 1))
        {
            var (low, high) = Wilson.Interval((long)scores.Sum(), scores.Length);
            return row with { Value = scores.Average(), Low = low, High = high, Method = "share, Wilson 95%" };
        }
        var (mean, error) = clustered
            ? ClusteredError.Of<string>(scores, [.. answers.Select((a, i) => a.Item.Cluster ?? $"\0{i}")])
            : ClusteredError.Simple(scores);
        var half = Wilson.Z95 * error;
        return row with { Value = mean, Low = mean - half, High = mean + half, Method = clustered ? "mean, clustered standard error 95%" : "mean, standard error 95%" };
    }

    private double? Chance(IReadOnlyList<EvalAnswer> answers)
    {
        if (answers.Count == 0)
            return null;
        var commonest = answers.GroupBy(a => a.Item.Target, StringComparer.Ordinal).Max(g => g.Count()) / (double)answers.Count;
        var guess = answers.Average(a => a.Item.Choices.Count > 0 ? 1.0 / a.Item.Choices.Count : 0);
        return Math.Max(commonest, guess);
    }
}
