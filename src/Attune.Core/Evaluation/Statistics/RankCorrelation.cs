namespace Attune.Core.Evaluation.Statistics;

/// <summary>Whether two scores of the same items put them into the same order: 1 the same, −1 the reverse.</summary>
public static class RankCorrelation
{
    /// <summary>Spearman's ρ: Pearson's correlation of the ranks (Spearman 1904). NaN where a side has one value only.</summary>
    /// <exception cref="ArgumentException">The two are not of the same length.</exception>
    public static double Spearman(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        Check(x, y);
        var (a, b) = (Ranks.Of(x), Ranks.Of(y));
        var middle = (x.Length + 1) / 2.0;
        double both = 0, ofA = 0, ofB = 0;
        for (var i = 0; i < a.Length; i++)
        {
            both += (a[i] - middle) * (b[i] - middle);
            ofA += (a[i] - middle) * (a[i] - middle);
            ofB += (b[i] - middle) * (b[i] - middle);
        }
        return both / Math.Sqrt(ofA * ofB);
    }

    /// <summary>Kendall's τ_b: pairs in the same order less pairs in reverse, over those not tied (Kendall 1945). NaN where a side has one value only.</summary>
    /// <exception cref="ArgumentException">The two are not of the same length.</exception>
    public static double Kendall(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        Check(x, y);
        double balance = 0, untiedX = 0, untiedY = 0;
        for (var i = 1; i < x.Length; i++)
        {
            for (var j = 0; j < i; j++)
            {
                var (byX, byY) = (x[i].CompareTo(x[j]), y[i].CompareTo(y[j]));
                balance += byX * byY;
                untiedX += Math.Abs(byX);
                untiedY += Math.Abs(byY);
            }
        }
        return balance / Math.Sqrt(untiedX * untiedY);
    }

    private static void Check(ReadOnlySpan<double> x, ReadOnlySpan<double> y)
    {
        if (x.Length != y.Length)
            throw new ArgumentException("Both scores are of the same items.", nameof(y));
    }
}
