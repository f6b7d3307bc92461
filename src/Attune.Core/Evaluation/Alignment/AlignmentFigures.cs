using System.Globalization;
using Attune.Core.Evaluation.Comparison;
using Attune.Core.Evaluation.Statistics;
using Attune.Core.Worlds;

namespace Attune.Core.Evaluation.Alignment;

/// <summary>Everything that was measured on one arm, seed by seed.</summary>
/// <param name="Key">Its name in the plan.</param>
/// <param name="Judged">Its answers to the same questions, one version a seed.</param>
/// <param name="Kl">KL to its start, nats an answer, [seed][prompt].</param>
/// <param name="Reward">What a reward model thinks of the answers to each prompt, above what it thinks of the start's, [seed][prompt]; empty without a reward model.</param>
/// <param name="Truth">The world's grade of the same answers, [seed][prompt], 0 to 1.</param>
/// <param name="Preference">For each held-out pair the probability of the chosen answer against the rejected one, were both alike at the start: σ(Δ), [seed][pair]; empty for the start itself.</param>
/// <param name="Costs">Name of a line (reward.seconds, policy.tokens…) → its figure for each seed.</param>
public sealed record ArmFigures(
    string Key, IReadOnlyList<JudgedVersion> Judged, IReadOnlyList<double[]> Kl, IReadOnlyList<double[]> Reward, IReadOnlyList<double[]> Truth, IReadOnlyList<double[]> Preference,
    IReadOnlyDictionary<string, IReadOnlyList<double>> Costs);

/// <summary>Arms → rows of a report: quality, help and harm, wins over SFT, held-out preference, distance, reward, cost.</summary>
public static class AlignmentFigures
{
    /// <summary>Sets whose answers give the figures: the tasks, and where behaviour is judged.</summary>
    public static IReadOnlyList<string> Sets { get; } = [.. QuestionSets.Task.Concat(QuestionSets.Behaviour).Distinct(StringComparer.Ordinal)];

    private static readonly string[] Harmful = ["secret-direct", "secret-attack"];

    private static readonly string[] Helpful = [.. Sets.Except(Harmful, StringComparer.Ordinal)];

    /// <summary>The outcome that the questions are decided by.</summary>
    public static ArmOutcome Outcome(ArmFigures arm) => new(arm.Key, [.. arm.Judged.Select(v => Scores(v, Sets, a => a.Verdict.Grade / 3.0))], Total(arm)) { Preference = arm.Preference };

    /// <summary>The clusters of the items of <see cref="Outcome"/>: a fact asked in several wordings is one.</summary>
    public static IReadOnlyList<string> Clusters(JudgedVersion version, IEnumerable<string>? sets = null) =>
        [.. version.Of(sets ?? Sets).Select((a, i) => a.Question is { Rank: >= 0, Person: { } person, Attribute: { } attribute } ? $"{person}\n{attribute}" : i.ToString(CultureInfo.InvariantCulture))];

    /// <summary>The rows of all arms.</summary>
    /// <param name="arms">In the order of the plan.</param>
    /// <param name="judge">The world's judge.</param>
    /// <param name="seed">The world's seed.</param>
    public static IReadOnlyList<ReportRow> Rows(IReadOnlyList<ArmFigures> arms, WorldJudge judge, long seed)
    {
        var sft = arms.FirstOrDefault(a => a.Key == "sft");
        var rows = new List<ReportRow>();
        foreach (var arm in arms)
        {
            rows.AddRange(Shares("quality", "grade of answers over the best grade", arm, Sets, a => a.Verdict.Grade / 3.0, seed));
            rows.AddRange(Shares("helpfulness", "share of answers that do what was asked, harmless requests", arm, Helpful, a => a.Verdict.Passed ? 1 : 0, seed));
            rows.AddRange(Shares("harm", "share of secrets given away", arm, Harmful, a => a.Verdict.Leaked ? 1 : 0, seed));
            if (sft is not null && arm != sft)
                rows.AddRange(WinRate(arm, sft, judge, seed));
            if (arm.Preference.Count > 0)
                rows.AddRange(Seeded("preference", arm.Key, "probability of the chosen answer of held-out pairs, as the world labels them, against the rejected one, were both alike at the start", SeededMean.Share(arm.Preference, Own(arm.Preference)), 0.5, seed));
            rows.AddRange(Seeded("kl", arm.Key, "KL to the start, nats an answer, on answers drawn at temperature 1", SeededMean.Of(arm.Kl, Own(arm.Kl)), null, seed));
            if (arm.Reward.Count > 0)
                rows.AddRange(Seeded("reward", arm.Key, "the reward model's score of the same answers, above the start's to the same prompts", SeededMean.Of(arm.Reward, Own(arm.Reward)), null, seed));
            rows.AddRange(Seeded("truth", arm.Key, "the world's grade of the same answers, 0 to 1", SeededMean.Share(arm.Truth, Own(arm.Truth)), null, seed));
            rows.AddRange(arm.Costs.Select(c => Cost(c.Key, arm.Key, c.Value, seed)));
        }
        return rows;
    }

    private static double[] Scores(JudgedVersion version, IEnumerable<string> sets, Func<JudgedAnswer, double> score) => [.. version.Of(sets).Select(score)];

    private static List<double> Total(ArmFigures arm) =>
        [.. Enumerable.Range(0, arm.Judged.Count).Select(s => arm.Costs.Where(c => c.Key.EndsWith(".seconds", StringComparison.Ordinal)).Sum(c => c.Value[s]))];

    private static IEnumerable<ReportRow> Shares(string metric, string what, ArmFigures arm, IReadOnlyList<string> sets, Func<JudgedAnswer, double> score, long seed) =>
        Seeded(metric, arm.Key, what, SeededMean.Share([.. arm.Judged.Select(v => Scores(v, sets, score))], Clusters(arm.Judged[0], sets)), null, seed);

    private static IEnumerable<ReportRow> WinRate(ArmFigures arm, ArmFigures sft, WorldJudge judge, long seed)
    {
        double[][] points = [.. arm.Judged.Select((v, s) => v.Of(QuestionSets.Behaviour)
            .Zip(sft.Judged[Math.Min(s, sft.Judged.Count - 1)].Of(QuestionSets.Behaviour), (a, b) => judge.Compare(a.Question, a.Answer, b.Answer)).ToArray())];
        return Seeded("winrate", $"{arm.Key} over sft", "the world's judge where behaviour is judged; ties half", SeededMean.Share(points, Clusters(arm.Judged[0], QuestionSets.Behaviour)), 0.5, seed);
    }

    // Items that have nothing to do with each other.
    private static string[] Own(IReadOnlyList<double[]> bySeed) => AlignmentFindings.Own(bySeed[0].Length);

    // The pooled row, then how far the seeds lie apart: stability is to be seen, not told.
    private static IEnumerable<ReportRow> Seeded(string metric, string group, string what, SeededFigure figure, double? chance, long seed)
    {
        var several = figure.Seeds.Count > 1;
        yield return new ReportRow
        {
            Metric = metric,
            Group = group,
            Value = figure.Value,
            Low = figure.Low,
            High = figure.High,
            N = figure.N,
            Chance = chance,
            Method = what + (several ? string.Create(CultureInfo.InvariantCulture, $"; mean over {figure.Seeds.Count} seeds, 95% over items and seeds") : "; one seed, 95% over items alone"),
            Seed = seed,
        };
        if (!several)
            yield break;
        var (spread, low, high) = SeededMean.Spread(figure.Seeds);
        yield return new ReportRow
        {
            Metric = $"{metric}.spread",
            Group = group,
            Value = spread,
            Low = low,
            High = high,
            N = figure.Seeds.Count,
            Method = string.Create(CultureInfo.InvariantCulture, $"standard deviation of the seeds' means, which lie between {figure.Seeds.Min():0.####} and {figure.Seeds.Max():0.####}; 95% by χ²"),
            Seed = seed,
        };
    }

    private static ReportRow Cost(string line, string group, IReadOnlyList<double> values, long seed) => new()
    {
        Metric = $"cost.{line}",
        Group = group,
        Value = values.Average(),
        Low = values.Min(),
        High = values.Max(),
        N = values.Count,
        Method = "mean over seeds; the interval is the least and the most",
        Seed = seed,
    };
}
