namespace Attune.Core.Evaluation.Statistics;

/// <summary>
/// The mean difference of two scores of the same items: what the items share cancels out, so that the interval is far
/// narrower than that of two separate shares (Miller 2024, section 4.2).
/// </summary>
public static class PairedDifference
{
    /// <summary>Mean of left − right with its normal 95% interval (sample standard deviation over √n).</summary>
    /// <exception cref="ArgumentException">The two are not of the same length.</exception>
    public static (double Value, double Low, double High) Of(ReadOnlySpan<double> left, ReadOnlySpan<double> right)
    {
        if (left.Length != right.Length)
            throw new ArgumentException("Paired scores are of the same items.", nameof(right));
        var n = left.Length;
        if (n == 0)
            return (double.NaN, double.NaN, double.NaN);
        double sum = 0;
        for (var i = 0; i < n; i++)
            sum += left[i] - right[i];
        var mean = sum / n;
        double squares = 0;
        for (var i = 0; i < n; i++)
            squares += (left[i] - right[i] - mean) * (left[i] - right[i] - mean);
        var half = n < 2 ? double.PositiveInfinity : Wilson.Z95 * Math.Sqrt(squares / (n - 1) / n);
        return (mean, mean - half, mean + half);
    }
}
