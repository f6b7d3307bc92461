using Attune.Core.Evaluation;
using Attune.Core.Evaluation.Comparison;
using Attune.Core.Evaluation.Statistics;
using Attune.Core.Worlds;
using Xunit;

namespace Attune.Core.Tests.Evaluation;

public sealed class VersionComparisonTests
{
    private static readonly JudgedVersion Right = Judged.Version("right", (_, _) => true);
    private static readonly JudgedVersion Wrong = Judged.Version("wrong", (_, _) => false);
    private static readonly JudgedVersion Half = Judged.Version("half", (_, i) => i % 2 == 0);

    private static IReadOnlyList<ReportRow> Measure(params JudgedVersion[] versions) => VersionComparison.Measure(versions, Judged.Judge, seed: 11);

    private static ReportRow Row(IReadOnlyList<ReportRow> rows, string metric, string? group = null) =>
        Assert.Single(rows, r => r.Metric == metric && (group is null || r.Group == group));

    [Fact]
    public void Every_line_has_a_row_for_every_version_with_items_interval_and_method()
    {
        var rows = Measure(Wrong, Half, Right);
        foreach (var metric in ComparisonMetric.All)
        {
            foreach (var name in new[] { "wrong", "half", "right" })
            {
                var row = Row(rows, metric.Key, name);
                Assert.Equal(metric.Sets.Sum(s => Judged.Questions[s].Count), row.N);
                Assert.NotEqual(0, row.N);
                Assert.InRange(row.Value, row.Low, row.High);
                Assert.Contains("Wilson 95%", row.Method, StringComparison.Ordinal);
                Assert.Equal(11, row.Seed);
            }
        }
    }

    [Fact]
    public void Reference_answers_score_as_they_should_and_rejected_ones_do_not()
    {
        var rows = Measure(Wrong, Right);
        foreach (var metric in ComparisonMetric.All.Where(m => m is { IsTask: true, HigherIsBetter: true }))
        {
            Assert.Equal(1, Row(rows, metric.Key, "right").Value);
            Assert.Equal(0, Row(rows, metric.Key, "wrong").Value);
        }
        Assert.Equal(0, Row(rows, "secrets.direct", "right").Value);
        Assert.Equal(1, Row(rows, "secrets.direct", "wrong").Value);
        Assert.Equal(0, Row(rows, "refusal.over", "right").Value);
        Assert.Equal(1, Row(rows, "refusal.over", "wrong").Value);
        Assert.Equal(1, Row(rows, "conflict.document", "right").Value);
        Assert.Equal(1, Row(rows, "conflict.memory", "wrong").Value);
    }

    [Fact]
    public void The_difference_is_paired_and_of_the_last_two_versions()
    {
        var rows = Measure(Right, Wrong, Half);
        var row = Row(rows, "reading.difference");
        Assert.Equal("half - wrong", row.Group);
        Assert.Equal(0.5, row.Value);
        var expected = PairedDifference.Of([.. Half.Of(["reading"]).Select(a => a.Verdict.Passed ? 1.0 : 0)], new double[row.N]);
        // Strangers stand alone: only the sample's n − 1 for n tells the two errors apart.
        Assert.Equal((expected.High - expected.Low) * Math.Sqrt((row.N - 1.0) / row.N), row.High - row.Low, 1e-9);
        Assert.Equal(ComparisonMetric.All.Count(m => m.IsTask), rows.Count(r => r.Metric.EndsWith(".difference", StringComparison.Ordinal)));
    }

    [Fact]
    public void Equal_versions_differ_by_nothing_and_win_half()
    {
        var rows = Measure(Half, Half with { Name = "again" });
        Assert.All(rows.Where(r => r.Metric.EndsWith(".difference", StringComparison.Ordinal)), r => Assert.Equal((0, 0, 0), (r.Value, r.Low, r.High)));
        var win = Row(rows, "winrate");
        Assert.Equal((0.5, 0.5), (win.Value, win.Chance));
        Assert.Equal(QuestionSets.Behaviour.Sum(s => Judged.Questions[s].Count), win.N);
        Assert.All(QuestionSets.Behaviours, b => Assert.Equal(b.Sets.Sum(s => Judged.Questions[s].Count), Row(rows, $"winrate.{b.Kind}").N));
    }

    [Fact]
    public void A_win_is_one_and_a_tie_half()
    {
        Assert.Equal(1, Row(Measure(Wrong, Right), "winrate").Value);
        Assert.Equal(0, Row(Measure(Right, Wrong), "winrate").Value);
        Assert.Equal("half over wrong", Row(Measure(Wrong, Half), "winrate").Group);
        // Right where the number is even, which wins; the rejected answer against itself elsewhere, which ties.
        Assert.Equal(0.75, Row(Measure(Wrong, Half), "winrate").Value, 1e-12);
    }

    [Fact]
    public void One_version_alone_has_neither_differences_nor_wins() =>
        Assert.DoesNotContain(Measure(Half), r => r.Metric.StartsWith("winrate", StringComparison.Ordinal) || r.Metric.EndsWith(".difference", StringComparison.Ordinal));

    [Fact]
    public void Chance_is_the_most_common_answer_and_absent_where_no_value_is_asked()
    {
        var rows = Measure(Right);
        var chance = Row(rows, "reading").Chance;
        Assert.NotNull(chance);
        Assert.Equal(Judged.Questions["reading"].SelectMany(q => q.Accepted).GroupBy(v => v).Max(g => g.Count()) / (double)Judged.Questions["reading"].Count, chance.Value, 1e-12);
        Assert.Null(Row(rows, "refusal.nores").Chance);
        Assert.Null(Row(rows, "tone").Chance);
    }

    // A fact that is known is known in every wording: five questions about it are worth little more than one.
    [Fact]
    public void Questions_about_one_known_fact_are_one_cluster()
    {
        var asked = Judged.Questions["closed.top"].Take(4).SelectMany((q, i) => Enumerable.Range(0, 5).Select(w => (Question: q with { Person = $"Known {i}", Wording = $"w{w}" }, Right: i % 2 == 0))).ToList();
        JudgedVersion With(IEnumerable<(WorldQuestion Question, bool Right)> items) => Half with
        {
            Answers = new Dictionary<string, IReadOnlyList<JudgedAnswer>>(Half.Answers)
            {
                ["closed.top"] = [.. items.Select(a => new JudgedAnswer(a.Question, "", new WorldVerdict(a.Right, a.Right ? AnswerOutcome.Right : AnswerOutcome.Other, true, null, null, false, a.Right ? 3 : 0)))],
            },
        };
        var clustered = Row(Measure(With(asked)), "knowledge.top");
        Assert.Equal(20, clustered.N);
        Assert.Equal("share of answers, Wilson 95%, clustered by person and attribute (4 clusters)", clustered.Method);
        Assert.Equal(Wilson.Interval(2, 4).Low, clustered.Low, 1e-12);

        var strangers = Row(Measure(With(asked.Select(a => (a.Question with { Rank = -1 }, a.Right)))), "knowledge.top");
        Assert.Equal("share of answers, Wilson 95%", strangers.Method);
        Assert.Equal(Wilson.Interval(10, 20).Low, strangers.Low, 1e-12);
    }
}
