namespace Attune.Core.Evaluation.Statistics;

/// <summary>How well a score tells positives from negatives, over all thresholds.</summary>
public static class Roc
{
    /// <summary>
    /// Area under the ROC curve: the probability that a positive scores above a negative, ties half (Mann and Whitney
    /// 1947). NaN where one of the two is missing.
    /// </summary>
    /// <exception cref="ArgumentException">Labels and scores are not of the same length.</exception>
    public static double Area(ReadOnlySpan<bool> labels, ReadOnlySpan<double> scores)
    {
        Check(labels, scores);
        var ranks = Ranks.Of(scores);
        double sum = 0;
        for (var i = 0; i < labels.Length; i++)
            sum += labels[i] ? ranks[i] : 0;
        double positives = labels.Count(true), negatives = labels.Length - positives;
        return (sum - positives * (positives + 1) / 2) / (positives * negatives);
    }

    /// <summary>Average precision: the precision at each threshold, weighted by the recall that it adds; no interpolation. NaN without positives.</summary>
    /// <exception cref="ArgumentException">Labels and scores are not of the same length.</exception>
    public static double AveragePrecision(ReadOnlySpan<bool> labels, ReadOnlySpan<double> scores)
    {
        double positives = labels.Count(true), before = 0, sum = 0;
        foreach (var (truePositives, falsePositives) in Thresholds(labels, scores))
        {
            sum += (truePositives - before) / positives * truePositives / (truePositives + falsePositives);
            before = truePositives;
        }
        return positives == 0 ? double.NaN : sum;
    }

    /// <summary>The largest true-positive rate at a threshold whose false-positive rate is at most the given one. NaN where one of the two is missing.</summary>
    /// <exception cref="ArgumentException">Labels and scores are not of the same length.</exception>
    public static double TruePositiveRateAt(ReadOnlySpan<bool> labels, ReadOnlySpan<double> scores, double falsePositiveRate)
    {
        double positives = labels.Count(true), negatives = labels.Length - positives, best = 0;
        foreach (var (truePositives, falsePositives) in Thresholds(labels, scores))
            best = falsePositives / negatives <= falsePositiveRate ? Math.Max(best, truePositives / positives) : best;
        return positives == 0 || negatives == 0 ? double.NaN : best;
    }

    // Positives and negatives at or above each threshold, the highest first; equal scores stand or fall together.
    private static List<(double True, double False)> Thresholds(ReadOnlySpan<bool> labels, ReadOnlySpan<double> scores)
    {
        Check(labels, scores);
        var (sorted, order) = (scores.ToArray(), labels.ToArray());
        Array.Sort(sorted, order);
        var points = new List<(double, double)>();
        double truePositives = 0, falsePositives = 0;
        for (var i = sorted.Length - 1; i >= 0; i--)
        {
            if (order[i]) truePositives++;
            else falsePositives++;
            if (i == 0 || sorted[i - 1] != sorted[i]) points.Add((truePositives, falsePositives));
        }
        return points;
    }

    private static void Check(ReadOnlySpan<bool> labels, ReadOnlySpan<double> scores)
    {
        if (labels.Length != scores.Length)
            throw new ArgumentException("Every item has a label and a score.", nameof(scores));
    }
}
