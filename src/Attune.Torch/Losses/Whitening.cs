namespace Attune.Torch.Losses;

/// <summary>(x − mean)/√(variance + 1e-8) over all real tokens of a batch, with the unbiased variance, as TRL's masked_whiten.</summary>
public static class Whitening
{
    private const double Epsilon = 1e-8;

    /// <summary>In place.</summary>
    /// <param name="x">Values of real tokens only: there is no padding to leave out.</param>
    /// <param name="keepMean">Puts the mean back, so that only the scale changes.</param>
    public static void Apply(Span<double> x, bool keepMean = false)
    {
        // One value has no variance; it is left where it is, for dividing by nothing would blow it up.
        if (x.Length < 2)
            return;
        var (mean, squares) = (0.0, 0.0);
        foreach (var value in x)
            mean += value / x.Length;
        foreach (var value in x)
            squares += (value - mean) * (value - mean);
        var scale = 1 / Math.Sqrt(squares / (x.Length - 1) + Epsilon);
        foreach (ref var value in x)
            value = (value - mean) * scale + (keepMean ? mean : 0);
    }
}
