using System.Globalization;
using Attune.Core.Evaluation.Statistics;
using Attune.Core.Worlds;

namespace Attune.Core.Evaluation.Comparison;

/// <summary>
/// Versions side by side on the same questions: a share with its interval for every line and version, the paired
/// difference of the last two versions on task figures, and the win rate of the last over the one before where
/// behaviour is what is judged.
/// </summary>
public static class VersionComparison
{
    /// <summary>All rows of the report, in the order of the table.</summary>
    /// <param name="versions">In the order of a model's life: Base, Instruct, Chat.</param>
    /// <param name="judge">The world's judge.</param>
    /// <param name="seed">The seed of the world, for the rows.</param>
    public static IReadOnlyList<ReportRow> Measure(IReadOnlyList<JudgedVersion> versions, WorldJudge judge, long seed)
    {
        var rows = new List<ReportRow>();
        foreach (var metric in ComparisonMetric.All)
            rows.AddRange(versions.Select(version => Share(metric, version, seed)));
        if (versions.Count < 2)
            return rows;
        var (before, after) = (versions[^2], versions[^1]);
        rows.AddRange(ComparisonMetric.All.Where(m => m.IsTask).Select(metric => Difference(metric, before, after, seed)));
        rows.Add(WinRate(before, after, judge, seed));
        return rows;
    }

    private static ReportRow Share(ComparisonMetric metric, JudgedVersion version, long seed)
    {
        var answers = version.Of(metric.Sets).ToList();
        var counts = answers.Select(a => metric.Counts(a.Verdict)).ToArray();
        var facts = Facts(answers);
        var (low, high) = ClusteredShare.Interval<string>(counts, facts);
        return new ReportRow
        {
            Metric = metric.Key,
            Group = version.Name,
            Value = answers.Count == 0 ? double.NaN : (double)counts.Count(c => c) / answers.Count,
            Low = low,
            High = high,
            N = answers.Count,
            Chance = Chance(metric, answers),
            Method = "share of answers, Wilson 95%" + Clustered(facts),
            Seed = seed,
        };
    }

    // A fact asked in several wordings is known or not, whatever the wording: its questions are one cluster. Every other
    // question is about a person of its own.
    private static string[] Facts(IEnumerable<JudgedAnswer> answers) =>
        [.. answers.Select((a, i) => a.Question is { Rank: >= 0, Person: { } person, Attribute: { } attribute } ? $"{person}\n{attribute}" : i.ToString(CultureInfo.InvariantCulture))];

    private static string Clustered(string[] facts) => facts.Distinct(StringComparer.Ordinal).Count() is var number && number == facts.Length
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $", clustered by person and attribute ({number} clusters)");

    /// <summary>What the most common right answer would score if it were given to every question; null where no value is asked for.</summary>
    private static double? Chance(ComparisonMetric metric, List<JudgedAnswer> answers)
    {
        if (!metric.IsTask || !metric.HigherIsBetter || answers.Count == 0 || answers.Any(a => a.Question.Expect != Expectation.Value))
            return null;
        var commonest = answers.SelectMany(a => a.Question.Accepted).GroupBy(v => v, StringComparer.Ordinal).Max(g => g.Count());
        return (double)commonest / answers.Count;
    }

    private static ReportRow Difference(ComparisonMetric metric, JudgedVersion before, JudgedVersion after, long seed)
    {
        var left = after.Of(metric.Sets).Select(a => metric.Counts(a.Verdict) ? 1.0 : 0).ToArray();
        var right = before.Of(metric.Sets).Select(a => metric.Counts(a.Verdict) ? 1.0 : 0).ToArray();
        var facts = Facts(after.Of(metric.Sets));
        var (value, low, high) = PairedDifference.Of<string>(left, right, facts);
        return new ReportRow
        {
            Metric = $"{metric.Key}.difference",
            Group = $"{after.Name} - {before.Name}",
            Value = value,
            Low = low,
            High = high,
            N = left.Length,
            Chance = 0,
            Method = "paired difference on the same questions, 95%" + Clustered(facts),
            Seed = seed,
        };
    }

    private static ReportRow WinRate(JudgedVersion before, JudgedVersion after, WorldJudge judge, long seed)
    {
        var points = after.Of(QuestionSets.Behaviour)
            .Zip(before.Of(QuestionSets.Behaviour), (a, b) => judge.Compare(a.Question, a.Answer, b.Answer))
            .ToArray();
        var facts = Facts(after.Of(QuestionSets.Behaviour));
        var (value, low, high) = PairedDifference.Of<string>(points, new double[points.Length], facts);
        return new ReportRow
        {
            Metric = "winrate",
            Group = $"{after.Name} over {before.Name}",
            Value = value,
            Low = Math.Max(0, low),
            High = Math.Min(1, high),
            N = points.Length,
            Chance = 0.5,
            Method = "the world's judge on secrets, tone, follow-ups, format; ties half; 95%" + Clustered(facts),
            Seed = seed,
        };
    }
}
