using MathNet.Numerics;

namespace Attune.Core.Evaluation.Statistics;

/// <summary>
/// McNemar's exact test of two versions on the same yes-or-no items: only items where they differ say which is better
/// (McNemar 1947; exact by the binomial).
/// </summary>
public static class McNemar
{
    /// <summary>
    /// Two-sided p of b items that only the first got right and c that only the second did, were each of them a fair
    /// coin: 2·Σ_{i ≤ min(b, c)} C(b + c, i) / 2^(b + c), at most 1.
    /// </summary>
    public static double PValue(int b, int c)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(b);
        ArgumentOutOfRangeException.ThrowIfNegative(c);
        var (n, least) = ((double)b + c, Math.Min(b, c));
        // From the largest term down, each from the one before: nothing overflows, small terms come last.
        double term = 1, sum = 0;
        for (double i = least; i >= 0 && term > 0; i--)
        {
            sum += term;
            term *= i / (n - i + 1);
        }
        var largest = SpecialFunctions.BinomialLn(b + c, least) - n * Math.Log(2);
        return Math.Min(1, 2 * sum * Math.Exp(largest));
    }
}
