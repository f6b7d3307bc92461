using Attune.Core.Randomness;

namespace Attune.Core.Evaluation.Statistics;

/// <summary>
/// The percentile bootstrap: the interval of a figure that has no formula (a median, an F1), by computing it again over
/// items drawn with replacement (Efron 1979). Seeded: the same items and seed give the same interval.
/// </summary>
public static class Bootstrap
{
    /// <summary>The interval of a figure; (NaN, NaN) without items.</summary>
    /// <param name="items">The number of items.</param>
    /// <param name="figure">The figure of items given by their indices, some of them several times. The array is used again: do not keep it.</param>
    /// <param name="seed">The seed.</param>
    /// <param name="resamples">How often items are drawn anew.</param>
    /// <param name="level">The share of resamples inside the interval.</param>
    public static (double Low, double High) Interval(int items, Func<int[], double> figure, long seed, int resamples = 2000, double level = 0.95)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(items);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(resamples);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(level, 0);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(level, 1);
        if (items == 0)
            return (double.NaN, double.NaN);
        var random = RandomStream.Of(seed, "statistics", "bootstrap");
        var drawn = new int[items];
        var figures = new double[resamples];
        for (var r = 0; r < resamples; r++)
        {
            for (var i = 0; i < items; i++)
                drawn[i] = random.Next(items);
            figures[r] = figure(drawn);
        }
        Array.Sort(figures);
        return (Quantile(figures, (1 - level) / 2), Quantile(figures, (1 + level) / 2));
    }

    // Between two neighbours the quantile is interpolated linearly.
    private static double Quantile(double[] sorted, double share)
    {
        var place = share * (sorted.Length - 1);
        var below = (int)place;
        return below + 1 == sorted.Length ? sorted[below] : sorted[below] + (place - below) * (sorted[below + 1] - sorted[below]);
    }
}
