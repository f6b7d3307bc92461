using Attune.Core.Evaluation.Statistics;
using Attune.Core.Preferences;
using Xunit;

namespace Attune.Core.Tests.Preferences;

public class AgreementTests
{
    private static readonly RankTask[] Tasks = [.. Enumerable.Range(0, 8).Select(i => Annotations.Task(FormattableString.Invariant($"q{i}"), "a", "b", "c"))];

    private static readonly int[][] Orders = [[1, 2, 3], [3, 1, 2], [2, 3, 1]];

    [Fact]
    public void Equal_rankings_agree_fully()
    {
        var rows = AnnotatorAgreement.Measure([.. Tasks.SelectMany((t, i) => new[] { Annotations.Ranked("x", t, Orders[i % 3]), Annotations.Ranked("y", t, Orders[i % 3]) })]);
        Assert.Equal(["agreement.alpha", "agreement.kappa", "agreement.share"], rows.Select(r => r.Metric));
        Assert.All(rows, r => Assert.Equal(1, r.Value, 12));
    }

    [Fact]
    public void Opposite_rankings_contradict_each_other()
    {
        var rows = AnnotatorAgreement.Measure([.. Tasks.SelectMany((t, i) => new[] { Annotations.Ranked("x", t, Orders[i % 3]), Annotations.Ranked("y", t, [.. Orders[i % 3].Select(r => 4 - r)]) })]);
        Assert.True(rows[0].Value < 0);
        Assert.True(rows[1].Value < 0);
        Assert.Equal(0, rows[2].Value);
    }

    [Fact]
    public void Figures_are_those_of_the_statistics()
    {
        // Two tasks of three, third annotator on one of them only; ties share the mean of their ranks.
        Annotations.Ranked("x", Tasks[0], 1, 2, 3);
        var rows = AnnotatorAgreement.Measure(
        [
            Annotations.Ranked("x", Tasks[0], 1, 2, 3), Annotations.Ranked("y", Tasks[0], 1, 2, 2), Annotations.Ranked("z", Tasks[0], 2, 1, 3),
            Annotations.Ranked("x", Tasks[1], 3, 2, 1), Annotations.Ranked("y", Tasks[1], 3, 1, 2), Annotations.Ranked("x", Tasks[2], 1, 2, 3),
        ]);
        double?[] x = [1, 2, 3, 3, 2, 1], y = [1, 2.5, 2.5, 3, 1, 2], z = [2, 1, 3, null, null, null];
        Assert.Equal(KrippendorffAlpha.Of([x, y, z], RatingLevel.Ordinal), rows[0].Value, 12);
        Assert.Equal(2, rows[0].N);
        // Pairs (b,a), (c,a), (c,b) of each task: does the second of them rank better, worse, or tie?
        Assert.Equal(CohenKappa.Of([1, 1, 1, -1, -1, -1], [1, 1, 0, -1, -1, 1]), rows.Single(r => r.Metric == "agreement.kappa" && r.Group == "x and y").Value, 12);
    }

    [Fact]
    public void Without_a_common_task_there_is_nothing_to_measure() =>
        Assert.Equal("ATT2412", Assert.Throws<PreferenceException>(() => AnnotatorAgreement.Measure([Annotations.Ranked("x", Tasks[0], 1, 2, 3), Annotations.Ranked("y", Tasks[1], 1, 2, 3)])).Code);
}
