using Attune.Core.Evaluation.Statistics;
using Xunit;

namespace Attune.Core.Tests.Evaluation;

/// <summary>Edges that the reference vectors do not reach, against figures worked out by hand.</summary>
public sealed class StatisticsTests
{
    [Fact]
    public void Ties_share_their_rank() => Assert.Equal([1, 3.5, 3.5, 2, 5], Ranks.Of([-1, 7, 7, 0, 8]));

    [Fact]
    public void A_tie_of_a_positive_and_a_negative_is_half_a_win()
    {
        Assert.Equal(0.5, Roc.Area([true, false], [1, 1]));
        Assert.Equal(0.875, Roc.Area([true, true, false, false], [3, 2, 2, 1]));
        Assert.Equal(0.5, Roc.AveragePrecision([true, false], [1, 1]));
        Assert.Equal(0.5, Roc.TruePositiveRateAt([true, true, false, false], [3, 2, 2, 1], 0.4));
        Assert.True(double.IsNaN(Roc.Area([true], [1])));
    }

    [Fact]
    public void Agreement_is_one_for_equal_ratings_and_not_a_number_where_there_is_nothing_to_agree_on()
    {
        double?[] rater = [1, 2, 3, null, 5];
        foreach (var level in Enum.GetValues<RatingLevel>())
        {
            Assert.Equal(1, KrippendorffAlpha.Of([rater, rater], level), 1e-12);
            Assert.True(double.IsNaN(KrippendorffAlpha.Of([[1, 1], [1, 1]], level)));
            Assert.True(double.IsNaN(KrippendorffAlpha.Of([[1, null], [null, 2]], level)));
        }
        Assert.Throws<ArgumentException>(() => KrippendorffAlpha.Of([[1, 2], [1]], RatingLevel.Nominal));
        Assert.Equal(1, CohenKappa.Of([1, 2, 3], [1, 2, 3]));
        Assert.True(double.IsNaN(CohenKappa.Of([1, 1], [1, 1])));
    }

    // Observed 2·(1/3)², expected over the six pairs of {1, 1, 1, 2}: by hand for two units of two raters.
    [Fact]
    public void Ratio_alpha_weighs_a_distance_against_the_sum()
    {
        // Units (1, 1) and (1, 2): n₁ = 3, n₂ = 1, o₁₂ = 1, δ² = 1/9; alpha = 1 − 3·1/(3·1) = 0.
        Assert.Equal(0, KrippendorffAlpha.Of([[1, 1], [1, 2]], RatingLevel.Ratio), 1e-12);
        Assert.Throws<ArgumentException>(() => KrippendorffAlpha.Of([[-1, 1], [1, 2]], RatingLevel.Ratio));
    }

    [Theory]
    [InlineData(0, 0, 1)]
    [InlineData(0, 5, 0.0625)]
    [InlineData(1, 1, 1)]
    public void McNemar_by_counting_coins(int b, int c, double p) => Assert.Equal(p, McNemar.PValue(b, c), 1e-12);

    [Fact]
    public void McNemar_of_many_items_does_not_underflow() => Assert.InRange(McNemar.PValue(5_000, 5_200), 0.04, 0.06);

    // Signs of 1, 2, 3 all positive: one of eight patterns, twice. With a tie: ranks 1.5, 1.5, 3, the same chance.
    [Fact]
    public void Wilcoxon_counts_patterns_of_signs()
    {
        Assert.Equal(0.25, WilcoxonSignedRank.PValue([1, 2, 3], [0, 0, 0]), 1e-12);
        Assert.Equal(0.25, WilcoxonSignedRank.PValue([1, 1, 3], [0, 0, 0]), 1e-12);
        Assert.Equal(0.5, WilcoxonSignedRank.PValue([1, 5, 3], [0, 5, 0]), 1e-12);
        Assert.True(double.IsNaN(WilcoxonSignedRank.PValue([1], [1])));
    }

    [Fact]
    public void Wilcoxon_of_many_pairs_is_normal()
    {
        var left = Enumerable.Range(1, 60).Select(i => i % 3 == 0 ? -i : (double)i).ToArray();
        // The sum of positive ranks is 1200 of 1830: z = (1200 − 915) / √(60·61·121/24).
        Assert.Equal(2 * 0.017967, WilcoxonSignedRank.PValue(left, new double[60]), 1e-4);
    }

    [Fact]
    public void Paired_t_of_a_constant_difference_is_certain()
    {
        Assert.Equal(0, PairedT.Of([2, 3, 4], [1, 2, 3]).PValue);
        Assert.True(double.IsNaN(PairedT.Of([1, 1], [1, 1]).T));
        Assert.True(double.IsNaN(PairedT.Of([1], [0]).T));
    }

    [Fact]
    public void Order_correlations_see_ties()
    {
        Assert.Equal(-1, RankCorrelation.Spearman([1, 2, 3], [9, 4, 1]), 1e-12);
        Assert.Equal(2 / Math.Sqrt(6), RankCorrelation.Kendall([1, 1, 2], [1, 2, 3]), 1e-12);
        Assert.True(double.IsNaN(RankCorrelation.Kendall([1, 1], [1, 2])));
    }

    [Fact]
    public void A_bootstrap_interval_is_that_of_theory_and_the_same_again()
    {
        var values = Enumerable.Range(0, 400).Select(i => (double)(i % 20)).ToArray();
        double Mean(int[] drawn) => drawn.Average(i => values[i]);
        var (low, high) = Bootstrap.Interval(values.Length, Mean, seed: 3);
        var (mean, error) = ClusteredError.Simple(values);
        Assert.Equal(mean - Wilson.Z95 * error, low, 0.08);
        Assert.Equal(mean + Wilson.Z95 * error, high, 0.08);
        Assert.Equal((low, high), Bootstrap.Interval(values.Length, Mean, seed: 3));
        Assert.NotEqual((low, high), Bootstrap.Interval(values.Length, Mean, seed: 4));
        Assert.True(double.IsNaN(Bootstrap.Interval(0, Mean, 1).Low));
    }

    [Fact]
    public void A_paired_difference_of_clusters_is_wider_where_they_agree()
    {
        var left = Enumerable.Range(0, 40).Select(i => i / 4 % 2 == 0 ? 1.0 : 0).ToArray();
        var right = new double[40];
        var alone = PairedDifference.Of(left, right);
        var clustered = PairedDifference.Of<int>(left, right, Enumerable.Range(0, 40).Select(i => i / 4).ToArray());
        Assert.Equal(0.5, clustered.Value);
        Assert.InRange((clustered.High - clustered.Low) / (alone.High - alone.Low), 1.9, 2.1);
        Assert.Equal(double.PositiveInfinity, PairedDifference.Of<int>(left, right, new int[40]).High);
        Assert.True(double.IsNaN(PairedDifference.Of<int>([], [], []).Value));
    }

    [Theory]
    [InlineData(1, Wilson.Z95)]
    [InlineData(6, 2.638257)] // R: qnorm(1 - 0.025 / 6)
    public void Intervals_that_hold_together_are_wider(int figures, double z)
    {
        Assert.Equal(z, Wilson.Z95Of(figures), 1e-6);
        var (value, low, high) = PairedDifference.Of([1, 0, 1, 1], [0, 0, 1, 0], Wilson.Z95Of(figures));
        Assert.Equal((0.5, 2 * z * 0.288675), (value, high - low), (a, b) => a.Item1 == b.Item1 && Math.Abs(a.Item2 - b.Item2) < 1e-5);
    }
}
