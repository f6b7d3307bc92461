using MathNet.Numerics.Distributions;

namespace Attune.Core.Evaluation.Statistics;

/// <summary>
/// Wilson's score interval for a share: right near 0 and 1 and for few items, where the normal interval is not
/// (Wilson 1927).
/// </summary>
public static class Wilson
{
    /// <summary>The normal quantile of a two-sided 95% interval.</summary>
    public const double Z95 = 1.959963984540054;

    /// <summary>The quantile of intervals that hold all together in 95 of 100 cases, of so many figures (Bonferroni).</summary>
    public static double Z95Of(int figures) => Normal.InvCDF(0, 1, 1 - 0.025 / Math.Max(1, figures));

    /// <summary>The interval of k successes in n trials; the whole of [0, 1] where n is 0.</summary>
    public static (double Low, double High) Interval(long k, long n, double z = Z95) =>
        n == 0 ? (0, 1) : OfShare((double)k / n, n, z);

    /// <summary>The interval of a share of n items, n being a whole number or not (items in clusters are worth fewer).</summary>
    public static (double Low, double High) OfShare(double share, double n, double z = Z95)
    {
        var z2 = z * z;
        var middle = share + z2 / (2 * n);
        var half = z * Math.Sqrt(share * (1 - share) / n + z2 / (4 * n * n));
        var scale = 1 + z2 / n;
        // At its ends the interval holds the share itself, not what rounding leaves of it.
        return (share == 0 ? 0 : Math.Max(0, (middle - half) / scale), share == 1 ? 1 : Math.Min(1, (middle + half) / scale));
    }
}
