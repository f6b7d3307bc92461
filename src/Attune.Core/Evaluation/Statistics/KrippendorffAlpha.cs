namespace Attune.Core.Evaluation.Statistics;

/// <summary>What the numbers of a rating mean, and so how far apart two of them are.</summary>
public enum RatingLevel
{
    /// <summary>Names: any two differ alike.</summary>
    Nominal,

    /// <summary>Ranks: two differ by how many ratings lie between them.</summary>
    Ordinal,

    /// <summary>Measures: two differ by the square of their distance.</summary>
    Interval,

    /// <summary>Measures with a true zero: the distance counts against their sum.</summary>
    Ratio,
}

/// <summary>
/// Krippendorff's alpha: agreement of any number of raters, ratings missing or not. 1 is full agreement, 0 what chance
/// gives, below 0 they contradict each other (Krippendorff 2004, Content Analysis, chapter 11).
/// </summary>
public static class KrippendorffAlpha
{
    /// <summary>
    /// Alpha of ratings[rater][unit], null where a rater left a unit out. NaN where no unit has two ratings or all
    /// ratings are the same: then there is nothing to agree on.
    /// </summary>
    /// <exception cref="ArgumentException">Raters have different numbers of units, or a ratio scale has a negative rating.</exception>
    public static double Of(IReadOnlyList<IReadOnlyList<double?>> ratings, RatingLevel level)
    {
        if (ratings.Count == 0)
            return double.NaN;
        var units = ratings[0].Count;
        if (ratings.Any(r => r.Count != units))
            throw new ArgumentException("Every rater has one entry a unit, null where a rating is missing.", nameof(ratings));
        // Only units that two raters saw say anything about agreement.
        var pairable = Enumerable.Range(0, units)
            .Select(u => ratings.Where(r => r[u] is not null).Select(r => r[u]!.Value).ToArray())
            .Where(unit => unit.Length > 1).ToArray();
        var values = pairable.SelectMany(u => u).Distinct().Order().ToArray();
        if (level == RatingLevel.Ratio && values.Length > 0 && values[0] < 0)
            throw new ArgumentException("A ratio scale has no negative ratings.", nameof(ratings));
        if (values.Length < 2)
            return double.NaN;

        var counts = new double[values.Length];
        var coincidences = Coincidences(pairable, values, counts);
        var total = counts.Sum();
        double observed = 0, expected = 0;
        for (var c = 0; c < values.Length; c++)
        {
            for (var k = 0; k < c; k++)
            {
                var distance = Distance(level, values, counts, k, c);
                observed += coincidences[c, k] * distance;
                expected += counts[c] * counts[k] * distance;
            }
        }
        return 1 - (total - 1) * observed / expected;
    }

    // o_ck = Σ over units of (ordered pairs of c and k) / (ratings of the unit − 1); n_c is its sum over k.
    private static double[,] Coincidences(double[][] units, double[] values, double[] counts)
    {
        var coincidences = new double[values.Length, values.Length];
        foreach (var unit in units)
        {
            var inUnit = new double[values.Length];
            foreach (var rating in unit)
                inUnit[Array.BinarySearch(values, rating)]++;
            for (var c = 0; c < values.Length; c++)
            {
                counts[c] += inUnit[c];
                for (var k = 0; k < values.Length; k++)
                    coincidences[c, k] += inUnit[c] * (inUnit[k] - (c == k ? 1 : 0)) / (unit.Length - 1);
            }
        }
        return coincidences;
    }

    // δ² of the values at k < c.
    private static double Distance(RatingLevel level, double[] values, double[] counts, int k, int c)
    {
        var between = level switch
        {
            RatingLevel.Nominal => 1,
            RatingLevel.Ordinal => counts.AsSpan(k, c - k + 1).ToArray().Sum() - (counts[k] + counts[c]) / 2,
            RatingLevel.Interval => values[c] - values[k],
            RatingLevel.Ratio => (values[c] - values[k]) / (values[c] + values[k]),
            _ => throw new ArgumentOutOfRangeException(nameof(level), level, "Unknown level."),
        };
        return between * between;
    }
}
