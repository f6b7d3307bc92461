using MathNet.Numerics;

namespace Attune.Core.Evaluation.Statistics;

/// <summary>
/// Wilcoxon's signed-rank test of paired scores: are differences above zero as large and as many as those below? Needs
/// no normal differences (Wilcoxon 1945). Pairs without a difference are left out.
/// </summary>
public static class WilcoxonSignedRank
{
    /// <summary>Pairs up to which p is exact where no ranks are tied.</summary>
    public const int ExactPairs = 50;

    /// <summary>Pairs up to which p is exact where some ranks are tied, or some pairs without a difference were left out.</summary>
    public const int ExactTiedPairs = 13;

    /// <summary>
    /// The two-sided p. It is exact for few pairs, by the chance of every sum of ranks under random signs; else it is the
    /// normal one, with the variance corrected for ties. SciPy's <c>wilcoxon</c> decides alike. NaN where nothing differs.
    /// </summary>
    /// <exception cref="ArgumentException">The two are not of the same length.</exception>
    public static double PValue(ReadOnlySpan<double> left, ReadOnlySpan<double> right)
    {
        if (left.Length != right.Length)
            throw new ArgumentException("Paired scores are of the same items.", nameof(right));
        var all = new double[left.Length];
        for (var i = 0; i < left.Length; i++)
            all[i] = left[i] - right[i];
        var differences = all.Where(d => d != 0).ToArray();
        if (differences.Length == 0)
            return double.NaN;
        var sizes = differences.Select(Math.Abs).ToArray();
        var ranks = Ranks.Of(sizes);
        double positive = 0;
        for (var i = 0; i < ranks.Length; i++)
            positive += differences[i] > 0 ? ranks[i] : 0;
        var plain = sizes.Distinct().Count() == all.Length;
        return all.Length <= (plain ? ExactPairs : ExactTiedPairs) ? Exact(ranks, positive) : Normal(sizes, positive);
    }

    // Twice the ranks are whole numbers even where ties share one, so that sums index an array.
    private static double Exact(double[] ranks, double positive)
    {
        var doubled = ranks.Select(r => (int)(2 * r)).ToArray();
        var chances = new double[doubled.Sum() + 1];
        chances[0] = 1;
        foreach (var rank in doubled)
        {
            for (var sum = chances.Length - 1; sum >= 0; sum--)
                chances[sum] = (chances[sum] + (sum >= rank ? chances[sum - rank] : 0)) / 2;
        }
        var observed = (int)(2 * positive);
        return Math.Min(1, 2 * Math.Min(chances[..(observed + 1)].Sum(), chances[observed..].Sum()));
    }

    private static double Normal(double[] sizes, double positive)
    {
        double n = sizes.Length;
        var ties = sizes.GroupBy(s => s).Sum(g => Math.Pow(g.Count(), 3) - g.Count());
        var error = Math.Sqrt((n * (n + 1) * (2 * n + 1) - ties / 2) / 24);
        return SpecialFunctions.Erfc(Math.Abs(positive - n * (n + 1) / 4) / error / Math.Sqrt(2));
    }
}
