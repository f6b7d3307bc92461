namespace Attune.Core.Evaluation.Statistics;

/// <summary>How much a disagreement weighs.</summary>
public enum KappaWeights
{
    /// <summary>Every disagreement alike.</summary>
    None,

    /// <summary>By how many labels lie between, in sorted order.</summary>
    Linear,

    /// <summary>By its square.</summary>
    Quadratic,
}

/// <summary>Cohen's kappa: agreement of two raters beyond chance (Cohen 1960; weighted: Cohen 1968).</summary>
public static class CohenKappa
{
    /// <summary>
    /// Kappa of two raters' labels of the same items; labels that nobody used do not count as steps between. NaN where
    /// chance alone gives full agreement: no items, or one label throughout.
    /// </summary>
    /// <exception cref="ArgumentException">The two are not of the same length.</exception>
    public static double Of(ReadOnlySpan<int> a, ReadOnlySpan<int> b, KappaWeights weights = KappaWeights.None)
    {
        if (a.Length != b.Length)
            throw new ArgumentException("Both raters label the same items.", nameof(b));
        int[] labels = [.. a.ToArray().Concat(b.ToArray()).Distinct().Order()];
        var counts = new double[labels.Length, labels.Length];
        double[] ofA = new double[labels.Length], ofB = new double[labels.Length];
        for (var i = 0; i < a.Length; i++)
        {
            var (row, column) = (Array.BinarySearch(labels, a[i]), Array.BinarySearch(labels, b[i]));
            counts[row, column]++;
            ofA[row]++;
            ofB[column]++;
        }
        double observed = 0, expected = 0;
        for (var row = 0; row < labels.Length; row++)
        {
            for (var column = 0; column < labels.Length; column++)
            {
                var weight = Weight(weights, row - column);
                observed += weight * counts[row, column];
                expected += weight * ofA[row] * ofB[column] / a.Length;
            }
        }
        return 1 - observed / expected;
    }

    private static double Weight(KappaWeights weights, int steps) => weights switch
    {
        KappaWeights.None => steps == 0 ? 0 : 1,
        KappaWeights.Linear => Math.Abs(steps),
        KappaWeights.Quadratic => (double)steps * steps,
        _ => throw new ArgumentOutOfRangeException(nameof(weights), weights, "Unknown weights."),
    };
}
