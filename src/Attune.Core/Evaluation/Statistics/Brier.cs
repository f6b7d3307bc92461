namespace Attune.Core.Evaluation.Statistics;

/// <summary>Brier's score: the mean squared error of stated probabilities; 0 is best, ¼ what always saying ½ gives (Brier 1950).</summary>
public static class Brier
{
    /// <summary>The score of probabilities that the label is true. NaN without items.</summary>
    /// <exception cref="ArgumentException">Labels and probabilities are not of the same length.</exception>
    public static double Of(ReadOnlySpan<bool> labels, ReadOnlySpan<double> probabilities)
    {
        if (labels.Length != probabilities.Length)
            throw new ArgumentException("Every item has a label and a probability.", nameof(probabilities));
        double sum = 0;
        for (var i = 0; i < labels.Length; i++)
        {
            var error = probabilities[i] - (labels[i] ? 1 : 0);
            sum += error * error;
        }
        return sum / labels.Length;
    }
}
