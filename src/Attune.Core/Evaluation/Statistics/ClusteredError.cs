namespace Attune.Core.Evaluation.Statistics;

/// <summary>
/// The standard error of a mean, of items that stand alone or of items in clusters: questions about one fact are right
/// or wrong together, and many of them say less than as many facts (Miller 2024, section 2.2).
/// </summary>
public static class ClusteredError
{
    /// <summary>Mean and standard error of independent items: sample standard deviation over √n. The error is NaN for fewer than two.</summary>
    public static (double Mean, double Error) Simple(ReadOnlySpan<double> values)
    {
        var mean = Mean(values);
        double squares = 0;
        foreach (var value in values)
            squares += (value - mean) * (value - mean);
        return (mean, Math.Sqrt(squares / (values.Length - 1) / values.Length));
    }

    /// <summary>
    /// Mean and standard error of items in clusters: √(Σ over clusters of (sum of residuals)²) / n, without a
    /// small-sample factor. The error is NaN without items.
    /// </summary>
    /// <param name="values">One value an item.</param>
    /// <param name="clusters">The cluster of each item.</param>
    /// <exception cref="ArgumentException">The two are not of the same length.</exception>
    public static (double Mean, double Error) Of<T>(ReadOnlySpan<double> values, ReadOnlySpan<T> clusters) where T : notnull
    {
        if (values.Length != clusters.Length)
            throw new ArgumentException("Every item has a cluster.", nameof(clusters));
        var mean = Mean(values);
        var sums = new Dictionary<T, double>();
        for (var i = 0; i < values.Length; i++)
            sums[clusters[i]] = sums.GetValueOrDefault(clusters[i]) + values[i] - mean;
        double squares = 0;
        foreach (var sum in sums.Values)
            squares += sum * sum;
        return (mean, Math.Sqrt(squares) / values.Length);
    }

    private static double Mean(ReadOnlySpan<double> values)
    {
        double sum = 0;
        foreach (var value in values)
            sum += value;
        return sum / values.Length;
    }
}
