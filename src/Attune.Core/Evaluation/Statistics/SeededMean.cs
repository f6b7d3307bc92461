using MathNet.Numerics.Distributions;

namespace Attune.Core.Evaluation.Statistics;

/// <summary>A figure of something that was trained several times and measured on the same items each time.</summary>
/// <param name="Value">Mean over seeds and items.</param>
/// <param name="Low">Lower end of its 95% interval.</param>
/// <param name="High">Upper end.</param>
/// <param name="Spread">Standard deviation of the means of the seeds; NaN for one seed.</param>
/// <param name="Seeds">The mean of each seed.</param>
/// <param name="N">Items of each seed.</param>
public sealed record SeededFigure(double Value, double Low, double High, double Spread, IReadOnlyList<double> Seeds, int N);

/// <summary>
/// The mean of scores over seeds × items, with an interval that knows both: other items would have given another figure,
/// and so would other seeds. The half-width is the root of the sum of two squares: the normal one of the items, clustered,
/// each item's score averaged over the seeds; and Student's one of the seeds' means, with S − 1 degrees of freedom. One
/// seed tells nothing about seeds: then the interval is that of the items alone.
/// </summary>
public static class SeededMean
{
    /// <summary>The figure of one way of training.</summary>
    /// <param name="bySeed">Scores[seed][item].</param>
    /// <param name="clusters">The cluster of each item.</param>
    /// <exception cref="ArgumentException">No seed, or seeds with other numbers of items.</exception>
    public static SeededFigure Of(IReadOnlyList<double[]> bySeed, IReadOnlyList<string> clusters)
    {
        if (bySeed.Count == 0 || bySeed.Any(s => s.Length != clusters.Count))
            throw new ArgumentException("Every seed has a score for every item.", nameof(bySeed));
        double[] means = [.. bySeed.Select(s => s.Length == 0 ? double.NaN : s.Average())];
        double[] items = [.. Enumerable.Range(0, clusters.Count).Select(i => bySeed.Average(s => s[i]))];
        var (mean, error) = ClusteredError.Of<string>(items, [.. clusters]);
        var (seedHalf, spread) = OfSeeds(means);
        var half = Math.Sqrt(Math.Pow(Wilson.Z95 * error, 2) + (double.IsNaN(spread) ? 0 : seedHalf * seedHalf));
        return new SeededFigure(mean, mean - half, mean + half, spread, means, clusters.Count);
    }

    /// <summary>The figure of left − right on the same items; seeds are paired in their order.</summary>
    /// <inheritdoc cref="Of"/>
    public static SeededFigure Difference(IReadOnlyList<double[]> left, IReadOnlyList<double[]> right, IReadOnlyList<string> clusters) =>
        Of([.. left.Zip(right, (l, r) => l.Zip(r, (x, y) => x - y).ToArray())], clusters);

    /// <summary>How many times as large left is as right (costs, above 0), paired by seed: the geometric mean with Student's interval of the logarithms. One seed: without end.</summary>
    public static (double Value, double Low, double High) Ratio(IReadOnlyList<double> left, IReadOnlyList<double> right)
    {
        double[] logs = [.. left.Zip(right, (l, r) => Math.Log(l / r))];
        var (half, spread) = OfSeeds(logs);
        var mean = logs.Length == 0 ? double.NaN : logs.Average();
        return double.IsNaN(spread) ? (Math.Exp(mean), 0, double.PositiveInfinity) : (Math.Exp(mean), Math.Exp(mean - half), Math.Exp(mean + half));
    }

    /// <summary>How many times as large left's spread over seeds is as right's, by Fisher's F with S − 1 degrees of freedom each. Fewer than two seeds, or no spread: without end.</summary>
    public static (double Value, double Low, double High) SpreadRatio(IReadOnlyList<double> left, IReadOnlyList<double> right)
    {
        var (a, b) = (OfSeeds([.. left]).Spread, OfSeeds([.. right]).Spread);
        if (!(a > 0) || !(b > 0))
            return (a / b, 0, double.PositiveInfinity);
        var ratio = a * a / (b * b);
        double degreesA = left.Count - 1, degreesB = right.Count - 1;
        return (Math.Sqrt(ratio), Math.Sqrt(ratio / FisherSnedecor.InvCDF(degreesA, degreesB, 0.975)), Math.Sqrt(ratio / FisherSnedecor.InvCDF(degreesA, degreesB, 0.025)));
    }

    private static (double Half, double Spread) OfSeeds(double[] means)
    {
        if (means.Length < 2)
            return (0, double.NaN);
        var (_, error) = ClusteredError.Simple(means);
        return (StudentT.InvCDF(0, 1, means.Length - 1, 0.975) * error, error * Math.Sqrt(means.Length));
    }
}
