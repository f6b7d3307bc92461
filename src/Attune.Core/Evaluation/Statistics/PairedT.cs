using MathNet.Numerics;

namespace Attune.Core.Evaluation.Statistics;

/// <summary>Student's t test of paired scores: is the mean difference zero? For differences that are about normal (Student 1908).</summary>
public static class PairedT
{
    /// <summary>t of left − right with n − 1 degrees of freedom, and its two-sided p. NaN for fewer than two pairs or where all differences are zero.</summary>
    /// <exception cref="ArgumentException">The two are not of the same length.</exception>
    public static (double T, double PValue) Of(ReadOnlySpan<double> left, ReadOnlySpan<double> right)
    {
        if (left.Length != right.Length)
            throw new ArgumentException("Paired scores are of the same items.", nameof(right));
        var differences = new double[left.Length];
        for (var i = 0; i < left.Length; i++)
            differences[i] = left[i] - right[i];
        var (mean, error) = ClusteredError.Simple(differences);
        var t = mean / error;
        if (double.IsNaN(t))
            return (double.NaN, double.NaN);
        // P(|T| > t) is the regularised incomplete beta function at ν / (ν + t²).
        double degrees = left.Length - 1;
        return (t, double.IsInfinity(t) ? 0 : SpecialFunctions.BetaRegularized(degrees / 2, 0.5, degrees / (degrees + t * t)));
    }
}
