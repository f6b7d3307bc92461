using MathNet.Numerics.Distributions;

namespace Attune.Core.Evaluation.Statistics;

/// <summary>A figure of something that was trained several times and measured on the same items each time.</summary>
/// <param name="Value">Mean over seeds and items.</param>
/// <param name="Low">Lower end of its 95% interval.</param>
/// <param name="High">Upper end.</param>
/// <param name="Seeds">The mean of each seed.</param>
/// <param name="N">Items of each seed.</param>
public sealed record SeededFigure(double Value, double Low, double High, IReadOnlyList<double> Seeds, int N);

/// <summary>
/// The mean of scores over seeds × items, with an interval that knows both: other items would have given another figure,
/// and so would other seeds. The half-width is the root of the sum of two squares: that of the items, clustered, each
/// item's score averaged over the seeds; and Student's of the seeds' means, with S − 1 degrees of freedom. One seed tells
/// nothing about seeds: then the interval is that of the items alone.
/// </summary>
public static class SeededMean
{
    // Below it an error is what rounding leaves of none.
    private const double Rounding = 1e-9;

    /// <summary>The mean of scores of any size: the items' part is the normal one.</summary>
    /// <param name="bySeed">Scores[seed][item].</param>
    /// <param name="clusters">The cluster of each item.</param>
    /// <exception cref="ArgumentException">No seed, or seeds with other numbers of items.</exception>
    public static SeededFigure Of(IReadOnlyList<double[]> bySeed, IReadOnlyList<string> clusters)
    {
        var (means, mean, error) = Pooled(bySeed, clusters);
        return Around(means, mean, Wilson.Z95 * error, Wilson.Z95 * error, clusters.Count);
    }

    /// <summary>
    /// The mean of scores from 0 to 1: the items' part is Wilson's for as many items as give the clustered error, so that
    /// the interval stays between 0 and 1 and is not empty where all answers are alike.
    /// </summary>
    /// <inheritdoc cref="Of"/>
    public static SeededFigure Share(IReadOnlyList<double[]> bySeed, IReadOnlyList<string> clusters)
    {
        var (means, mean, error) = Pooled(bySeed, clusters);
        var (low, high) = Wilson.OfShare(mean, error > Rounding ? mean * (1 - mean) / (error * error) : ClusteredShare.Fewest<string>([.. clusters]));
        var figure = Around(means, mean, mean - low, high - mean, clusters.Count);
        return figure with { Low = Math.Max(0, figure.Low), High = Math.Min(1, figure.High) };
    }

    /// <summary>
    /// left − right of scores from 0 to 1 on the same items; seeds are paired in their order. The items' part is never
    /// narrower than Wilson's upper end of none in n: where nothing differs, an item that was not asked still might.
    /// </summary>
    /// <inheritdoc cref="Of"/>
    public static SeededFigure Difference(IReadOnlyList<double[]> left, IReadOnlyList<double[]> right, IReadOnlyList<string> clusters)
    {
        var (means, mean, error) = Pooled([.. left.Zip(right, (l, r) => l.Zip(r, (x, y) => x - y).ToArray())], clusters);
        var half = Math.Max(Wilson.Z95 * error, Wilson.OfShare(0, ClusteredShare.Fewest<string>([.. clusters])).High);
        return Around(means, mean, half, half, clusters.Count);
    }

    /// <summary>How many times as large left is as right (costs, above 0), paired by seed: the geometric mean with Student's interval of the logarithms. One seed: without end.</summary>
    public static (double Value, double Low, double High) Ratio(IReadOnlyList<double> left, IReadOnlyList<double> right)
    {
        double[] logs = [.. left.Zip(right, (l, r) => Math.Log(l / r))];
        var mean = logs.Length == 0 ? double.NaN : logs.Average();
        return logs.Length < 2 ? (Math.Exp(mean), 0, double.PositiveInfinity) : (Math.Exp(mean), Math.Exp(mean - OfSeeds(logs)), Math.Exp(mean + OfSeeds(logs)));
    }

    /// <summary>Standard deviation of the seeds' means, with its interval by χ² with S − 1 degrees of freedom. Fewer than two seeds, or no spread: without end.</summary>
    public static (double Value, double Low, double High) Spread(IReadOnlyList<double> means)
    {
        var (spread, degrees) = (Deviation(means), means.Count - 1);
        return spread > 0
            ? (spread, spread * Math.Sqrt(degrees / ChiSquared.InvCDF(degrees, 0.975)), spread * Math.Sqrt(degrees / ChiSquared.InvCDF(degrees, 0.025)))
            : (spread, 0, double.PositiveInfinity);
    }

    /// <summary>How many times as large left's spread over seeds is as right's, by Fisher's F with S − 1 degrees of freedom each. Fewer than two seeds, or no spread: without end.</summary>
    public static (double Value, double Low, double High) SpreadRatio(IReadOnlyList<double> left, IReadOnlyList<double> right)
    {
        var (a, b) = (Deviation(left), Deviation(right));
        if (!(a > 0) || !(b > 0))
            return (a / b, 0, double.PositiveInfinity);
        var ratio = a * a / (b * b);
        double degreesA = left.Count - 1, degreesB = right.Count - 1;
        return (Math.Sqrt(ratio), Math.Sqrt(ratio / FisherSnedecor.InvCDF(degreesA, degreesB, 0.975)), Math.Sqrt(ratio / FisherSnedecor.InvCDF(degreesA, degreesB, 0.025)));
    }

    private static (double[] Means, double Mean, double Error) Pooled(IReadOnlyList<double[]> bySeed, IReadOnlyList<string> clusters)
    {
        if (bySeed.Count == 0 || bySeed.Any(s => s.Length != clusters.Count))
            throw new ArgumentException("Every seed has a score for every item.", nameof(bySeed));
        double[] items = [.. Enumerable.Range(0, clusters.Count).Select(i => bySeed.Average(s => s[i]))];
        var (mean, error) = ClusteredError.Of<string>(items, [.. clusters]);
        return ([.. bySeed.Select(s => s.Length == 0 ? double.NaN : s.Average())], mean, error);
    }

    private static SeededFigure Around(double[] means, double mean, double below, double above, int items)
    {
        var seeds = means.Length < 2 ? 0 : OfSeeds(means);
        return new SeededFigure(mean, mean - double.Hypot(below, seeds), mean + double.Hypot(above, seeds), means, items);
    }

    // Student's half-width of the mean of two seeds or more.
    private static double OfSeeds(double[] means) => StudentT.InvCDF(0, 1, means.Length - 1, 0.975) * ClusteredError.Simple(means).Error;

    private static double Deviation(IReadOnlyList<double> means)
    {
        if (means.Count < 2)
            return double.NaN;
        var deviation = ClusteredError.Simple([.. means]).Error * Math.Sqrt(means.Count);
        return deviation > Rounding ? deviation : 0;
    }
}
