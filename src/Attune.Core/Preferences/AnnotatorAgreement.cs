using Attune.Core.Evaluation;
using Attune.Core.Evaluation.Statistics;

namespace Attune.Core.Preferences;

/// <summary>
/// How far annotators agree on the same answers. Krippendorff's alpha takes all of them at once, every answer being a unit
/// and its rank (ties share the mean of theirs) an ordinal rating; Cohen's kappa takes two of them, every pair of answers
/// being an item that the one, the other, or neither wins.
/// </summary>
public static class AnnotatorAgreement
{
    private const int Resamples = 1000;

    /// <summary>Alpha over all annotators, then kappa and the plain share of agreement for every two of them who have tasks in common.</summary>
    /// <param name="annotations">What stands in one file or several.</param>
    /// <param name="seed">Of the bootstrap.</param>
    /// <exception cref="PreferenceException">ATT2412: no two annotators ranked the same answers.</exception>
    public static IReadOnlyList<ReportRow> Measure(IReadOnlyList<Annotation> annotations, long seed = 0)
    {
        var ranked = annotations.Where(a => a.Event is AnnotationEvent.Ranked or AnnotationEvent.AllBad).ToList();
        string[] annotators = [.. ranked.Select(a => a.Annotator).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        // Each task's ranks by annotator; an annotator who ranked a task in two files counts with the last.
        var tasks = ranked.GroupBy(a => a.Task.Id, StringComparer.Ordinal)
            .Select(g => annotators.ToDictionary(who => who, who => g.LastOrDefault(a => a.Annotator == who) is { } last ? MeanRanks(last) : null, StringComparer.Ordinal))
            .Where(t => t.Values.Count(r => r is not null) > 1).ToArray();
        if (tasks.Length == 0)
            throw PreferenceException.NothingInCommon($"The annotators ({string.Join(", ", annotators)}) have no task in common.");

        var rows = new List<ReportRow> { Alpha(tasks, annotators, seed) };
        for (var i = 0; i < annotators.Length; i++)
        {
            for (var j = i + 1; j < annotators.Length; j++)
            {
                var (a, b) = (annotators[i], annotators[j]);
                var common = tasks.Where(t => t[a] is not null && t[b] is not null).Select(t => (A: Signs(t[a]!), B: Signs(t[b]!))).ToArray();
                if (common.Length > 0)
                    rows.AddRange(Pairwise($"{a} and {b}", common, seed));
            }
        }
        return rows;
    }

    private static ReportRow Alpha(Dictionary<string, double[]?>[] tasks, string[] annotators, long seed)
    {
        double Of(IEnumerable<int> picked)
        {
            int[] which = [.. picked];
            return KrippendorffAlpha.Of([.. annotators.Select(who => (IReadOnlyList<double?>)[.. which.SelectMany(t =>
                tasks[t][who]?.Select(r => (double?)r) ?? Enumerable.Repeat((double?)null, tasks[t].Values.First(r => r is not null)!.Length))])], RatingLevel.Ordinal);
        }

        var (low, high) = Bootstrap.Interval(tasks.Length, drawn => Of(drawn), seed, Resamples);
        return new ReportRow
        {
            Metric = "agreement.alpha",
            Group = string.Join(", ", annotators),
            Value = Of(Enumerable.Range(0, tasks.Length)),
            Low = low,
            High = high,
            N = tasks.Length,
            Chance = 0,
            Method = "Krippendorff's alpha, ordinal, on ranks of answers; bootstrap over tasks, 95%",
            Seed = seed,
        };
    }

    private static IEnumerable<ReportRow> Pairwise(string group, (int[] A, int[] B)[] tasks, long seed)
    {
        double Kappa(IReadOnlyCollection<int> picked) => CohenKappa.Of([.. picked.SelectMany(t => tasks[t].A)], [.. picked.SelectMany(t => tasks[t].B)]);
        double Share(IReadOnlyCollection<int> picked) => picked.SelectMany(t => tasks[t].A.Zip(tasks[t].B, (x, y) => x == y ? 1.0 : 0)).Average();

        var all = Enumerable.Range(0, tasks.Length).ToArray();
        var pairs = tasks.Sum(t => t.A.Length);
        foreach (var (metric, figure, what) in new (string, Func<IReadOnlyCollection<int>, double>, string)[]
        {
            ("agreement.kappa", Kappa, "Cohen's kappa on pairs of answers (first, second, tie)"),
            ("agreement.share", Share, "share of pairs of answers judged alike"),
        })
        {
            var (low, high) = Bootstrap.Interval(tasks.Length, figure, seed, Resamples);
            yield return new ReportRow
            {
                Metric = metric,
                Group = group,
                Value = figure(all),
                Low = low,
                High = high,
                N = pairs,
                Chance = metric == "agreement.kappa" ? 0 : null,
                Method = $"{what}; bootstrap over tasks, 95%",
                Seed = seed,
            };
        }
    }

    private static double[] MeanRanks(Annotation annotation) => annotation switch
    {
        { Event: AnnotationEvent.AllBad } => Ranks.Of(new double[annotation.Task.Answers.Count]),
        { Scores: { } scores } => Ranks.Of([.. scores.Select(s => -s)]),
        _ => Ranks.Of([.. annotation.Ranks!.Select(r => (double)r)]),
    };

    private static int[] Signs(double[] ranks) =>
        [.. from i in Enumerable.Range(0, ranks.Length) from j in Enumerable.Range(0, i) select Math.Sign(ranks[i] - ranks[j])];
}
