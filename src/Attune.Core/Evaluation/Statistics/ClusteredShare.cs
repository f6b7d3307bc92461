namespace Attune.Core.Evaluation.Statistics;

/// <summary>
/// An interval for a share of items in clusters: Wilson's, with n divided by the design effect, which is how much wider
/// than that of independent items the clustered error is (Kish 1965; Dean and Pagano 2015). Where every item is its own
/// cluster it is Wilson's own.
/// </summary>
public static class ClusteredShare
{
    /// <summary>The interval of the share of items that count; the whole of [0, 1] without items.</summary>
    /// <param name="counts">Whether each item counts.</param>
    /// <param name="clusters">The cluster of each item.</param>
    /// <param name="z">The normal quantile.</param>
    /// <exception cref="ArgumentException">The two are not of the same length.</exception>
    public static (double Low, double High) Interval<T>(ReadOnlySpan<bool> counts, ReadOnlySpan<T> clusters, double z = Wilson.Z95) where T : notnull
    {
        var values = new double[counts.Length];
        for (var i = 0; i < counts.Length; i++)
            values[i] = counts[i] ? 1 : 0;
        var (share, error) = ClusteredError.Of<T>(values, clusters);
        return values.Length == 0 ? (0, 1) : Wilson.OfShare(share, Items(share, error, clusters), z);
    }

    /// <summary>The fewest independent items that items in clusters may be worth: as many as if every cluster answered as one, n² / Σ size².</summary>
    internal static double Fewest<T>(ReadOnlySpan<T> clusters) where T : notnull
    {
        var sizes = new Dictionary<T, double>();
        foreach (var cluster in clusters)
            sizes[cluster] = sizes.GetValueOrDefault(cluster) + 1;
        return (double)clusters.Length * clusters.Length / sizes.Values.Sum(size => size * size);
    }

    // As many independent items as these are worth. Luck may make clusters agree less than strangers do: that earns no
    // narrower interval than their number. Where nothing varies, or there is one cluster only, the error says nothing.
    private static double Items<T>(double share, double error, ReadOnlySpan<T> clusters) where T : notnull =>
        share is 0 or 1 || !clusters[1..].ContainsAnyExcept(clusters[0]) ? Fewest(clusters) : Math.Min(clusters.Length, share * (1 - share) / (error * error));
}
