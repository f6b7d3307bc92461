using Attune.Core.Evaluation.Statistics;
using Xunit;

namespace Attune.Core.Tests.Evaluation;

public class SeededMeanTests
{
    private static readonly string[] Items = [.. Enumerable.Range(0, 4).Select(i => FormattableString.Invariant($"item {i}"))];

    [Fact]
    public void One_seed_has_the_interval_of_its_items_and_no_spread()
    {
        double[] scores = [0, 1, 1, 0];
        var figure = SeededMean.Of([scores], Items);
        var (mean, error) = ClusteredError.Of<string>(scores, Items);
        Assert.Equal((mean, mean - Wilson.Z95 * error), (figure.Value, figure.Low));
        Assert.True(double.IsNaN(SeededMean.Spread(figure.Seeds).Value));
    }

    [Fact]
    public void Seeds_that_differ_widen_the_interval_by_Students_half_width()
    {
        // Every item scores alike, so only the seeds (0, 0.5, 1) vary: sd 0.5, t(2) = 4.3027.
        var figure = SeededMean.Of([[0, 0, 0, 0], [0.5, 0.5, 0.5, 0.5], [1, 1, 1, 1]], Items);
        Assert.Equal(0.5, SeededMean.Spread(figure.Seeds).Value, 12);
        Assert.Equal(0.5 + 4.302652729911275 * 0.5 / Math.Sqrt(3), figure.High, 9);
    }

    [Fact]
    public void A_share_stays_between_0_and_1_and_is_never_certain()
    {
        Assert.Equal(Wilson.Interval(4, 4), Ends(SeededMean.Share([[1, 1, 1, 1]], Items)));
        // Four answers about one fact are worth one.
        Assert.Equal(Wilson.Interval(0, 1), Ends(SeededMean.Share([[0, 0, 0, 0]], ["a", "a", "a", "a"])));
        var alike = SeededMean.Share([[1.0 / 3, 1.0 / 3, 1.0 / 3, 1.0 / 3]], Items);
        Assert.InRange(alike.High - alike.Low, 0.5, 1);
        var wide = SeededMean.Share([[0, 0, 0, 1], [1, 1, 1, 1]], Items);
        Assert.Equal((0, 1), Ends(wide));
    }

    [Fact]
    public void A_share_of_many_items_has_Wilsons_interval()
    {
        double[] scores = [.. Enumerable.Range(0, 400).Select(i => i % 4 == 0 ? 1.0 : 0)];
        var (low, high) = Ends(SeededMean.Share([scores], [.. scores.Select((_, i) => FormattableString.Invariant($"{i}"))]));
        var (expectedLow, expectedHigh) = Wilson.Interval(100, 400);
        Assert.Equal((expectedLow, expectedHigh), (low, high), (x, y) => Math.Abs(x.Item1 - y.Item1) < 1e-9 && Math.Abs(x.Item2 - y.Item2) < 1e-9);
    }

    [Fact]
    public void Items_asked_of_every_seed_cancel_in_a_difference_but_for_those_that_were_not_asked()
    {
        string[] many = [.. Enumerable.Range(0, 400).Select(i => FormattableString.Invariant($"{i}"))];
        double[] hard = [.. many.Select((_, i) => i % 2 * 0.8)], easy = [.. hard.Select(h => h + 0.1)];
        var figure = SeededMean.Difference([easy, easy], [hard, hard], many);
        Assert.Equal(0.1, figure.Value, 12);
        Assert.Equal(Wilson.Interval(0, 400).High, figure.High - figure.Value, 9);
    }

    [Fact]
    public void The_spread_of_seeds_has_its_interval_by_chi_squared()
    {
        // χ² with 2 degrees of freedom: 7.377759 at 97.5%, 0.05063562 at 2.5%.
        var (value, low, high) = SeededMean.Spread([0, 0.5, 1]);
        Assert.Equal((0.5, 0.5 * Math.Sqrt(2 / 7.377759), 0.5 * Math.Sqrt(2 / 0.05063562)), (value, low, high), (x, y) =>
            Math.Abs(x.Item1 - y.Item1) < 1e-9 && Math.Abs(x.Item2 - y.Item2) < 1e-6 && Math.Abs(x.Item3 - y.Item3) < 1e-5);
        Assert.Equal((0, 0, double.PositiveInfinity), SeededMean.Spread([0.5, 0.5]));
    }

    [Fact]
    public void Ratios_are_geometric_and_paired_by_seed()
    {
        var (value, low, high) = SeededMean.Ratio([1, 2, 4], [2, 4, 8]);
        Assert.Equal((0.5, 0.5, 0.5), (Math.Round(value, 12), Math.Round(low, 9), Math.Round(high, 9)));
        Assert.Equal(double.PositiveInfinity, SeededMean.Ratio([1], [2]).High);
    }

    [Fact]
    public void Spreads_are_compared_by_Fishers_F()
    {
        var (value, low, high) = SeededMean.SpreadRatio([0, 1, 2], [0, 10, 20]);
        Assert.Equal(0.1, value, 12);
        // F(2, 2) at 97.5% is 39: three seeds tell little.
        Assert.Equal((0.1 / Math.Sqrt(39), 0.1 * Math.Sqrt(39)), (low, high), (x, y) => Math.Abs(x.Item1 - y.Item1) < 1e-6 && Math.Abs(x.Item2 - y.Item2) < 1e-6);
    }

    private static (double Low, double High) Ends(SeededFigure figure) => (figure.Low, figure.High);
}
