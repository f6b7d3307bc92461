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
        Assert.True(double.IsNaN(figure.Spread));
    }

    [Fact]
    public void Seeds_that_differ_widen_the_interval_by_Students_half_width()
    {
        // Every item scores alike, so only the seeds (0, 0.5, 1) vary: sd 0.5, t(2) = 4.3027.
        var figure = SeededMean.Of([[0, 0, 0, 0], [0.5, 0.5, 0.5, 0.5], [1, 1, 1, 1]], Items);
        Assert.Equal(0.5, figure.Spread, 12);
        Assert.Equal(0.5 + 4.302652729911275 * 0.5 / Math.Sqrt(3), figure.High, 9);
    }

    [Fact]
    public void Items_asked_of_every_seed_cancel_in_a_difference()
    {
        double[] hard = [0, 1, 0, 1], easy = [0.1, 1.1, 0.1, 1.1];
        var figure = SeededMean.Difference([easy, easy], [hard, hard], Items);
        Assert.Equal((0.1, 0.1, 0.1), (Math.Round(figure.Value, 12), Math.Round(figure.Low, 9), Math.Round(figure.High, 9)));
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
}
