namespace Attune.Core.Evaluation.Statistics;

/// <summary>
/// The mean difference of two scores of the same items: what the items share cancels out, so that the interval is far
/// narrower than that of two separate shares (Miller 2024, section 4.2).
/// </summary>
public static class PairedDifference
{
    /// <summary>Mean of left − right with its normal interval (sample standard deviation over √n), of 95% unless another quantile is given.</summary>
    /// <exception cref="ArgumentException">The two are not of the same length.</exception>
    public static (double Value, double Low, double High) Of(ReadOnlySpan<double> left, ReadOnlySpan<double> right, double z = Wilson.Z95)
    {
        var (mean, error) = ClusteredError.Simple(Subtract(left, right));
        return Around(mean, left.Length < 2 ? double.PositiveInfinity : error, z);
    }

    /// <summary>The same with the standard error of items in clusters, without end for a single cluster.</summary>
    /// <exception cref="ArgumentException">The three are not of the same length.</exception>
    public static (double Value, double Low, double High) Of<T>(ReadOnlySpan<double> left, ReadOnlySpan<double> right, ReadOnlySpan<T> clusters) where T : notnull
    {
        var (mean, error) = ClusteredError.Of(Subtract(left, right), clusters);
        var several = clusters.Length > 0 && clusters[1..].ContainsAnyExcept(clusters[0]);
        return Around(mean, several ? error : double.PositiveInfinity, Wilson.Z95);
    }

    private static (double Value, double Low, double High) Around(double mean, double error, double z) =>
        double.IsNaN(mean) ? (mean, mean, mean) : (mean, mean - z * error, mean + z * error);

    private static ReadOnlySpan<double> Subtract(ReadOnlySpan<double> left, ReadOnlySpan<double> right)
    {
        if (left.Length != right.Length)
            throw new ArgumentException("Paired scores are of the same items.", nameof(right));
        var differences = new double[left.Length];
        for (var i = 0; i < left.Length; i++)
            differences[i] = left[i] - right[i];
        return differences;
    }
}
