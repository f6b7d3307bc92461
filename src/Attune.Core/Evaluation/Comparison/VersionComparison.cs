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
    /// <summary>All rows of the report, in the order of the table: those whose question sets were asked.</summary>
    /// <param name="versions">In the order of a model's life: Base, Instruct, Chat.</param>
    /// <param name="judge">The world's judge.</param>
    /// <param name="seed">The seed of the world, for the rows.</param>
    public static IReadOnlyList<ReportRow> Measure(IReadOnlyList<JudgedVersion> versions, WorldJudge judge, long seed)
    {
        var rows = new List<ReportRow>();
        var metrics = ComparisonMetric.All.Where(m => versions.All(v => v.Has(m.Sets))).ToList();
        foreach (var metric in metrics)
            rows.AddRange(versions.Select(version => Share(metric, version, seed)));
        if (versions.Count < 2)
            return rows;
        var (before, after) = (versions[^2], versions[^1]);
        rows.AddRange(metrics.Where(m => m.IsTask).Select(metric => Difference(metric, before, after, seed)));
        if (versions.All(v => v.Has(QuestionSets.Behaviour)))
            rows.AddRange(WinRates(before, after, judge, seed));
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

    /// <summary>The win rate of each kind of behaviour, and first their mean: no kind weighs more for having more sets.</summary>
    private static IEnumerable<ReportRow> WinRates(JudgedVersion before, JudgedVersion after, WorldJudge judge, long seed)
    {
        var kinds = QuestionSets.Behaviours.Select(b => WinRate(b.Kind, b.Sets, before, after, judge, seed)).ToList();
        var value = kinds.Average(k => k.Value);
        // The kinds are asked different questions, so their errors are independent.
        var half = Math.Sqrt(kinds.Sum(k => Math.Pow((k.High - k.Low) / 2, 2))) / kinds.Count;
        yield return kinds[0] with
        {
            Metric = "winrate",
            Value = value,
            Low = Math.Max(0, value - half),
            High = Math.Min(1, value + half),
            N = kinds.Sum(k => k.N),
            Method = $"the world's judge; mean of {string.Join(", ", QuestionSets.Behaviours.Select(b => b.Kind))}; ties half; 95%",
        };
        foreach (var kind in kinds)
            yield return kind with { Low = Math.Max(0, kind.Low), High = Math.Min(1, kind.High) };
    }

    private static ReportRow WinRate(string kind, IReadOnlyList<string> sets, JudgedVersion before, JudgedVersion after, WorldJudge judge, long seed)
    {
        var points = after.Of(sets).Zip(before.Of(sets), (a, b) => judge.Compare(a.Question, a.Answer, b.Answer)).ToArray();
        var facts = Facts(after.Of(sets));
        var (value, low, high) = PairedDifference.Of<string>(points, new double[points.Length], facts);
        return new ReportRow
        {
            Metric = $"winrate.{kind}",
            Group = $"{after.Name} over {before.Name}",
            Value = value,
            Low = low,
            High = high,
            N = points.Length,
            Chance = 0.5,
            Method = $"the world's judge on {string.Join(", ", sets)}; ties half; 95%" + Clustered(facts),
            Seed = seed,
        };
    }
}
