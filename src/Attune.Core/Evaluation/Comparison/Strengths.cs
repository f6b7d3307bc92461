namespace Attune.Core.Evaluation.Comparison;

/// <summary>
/// What a version is good and bad at, read off the figures: good where the whole interval is at least
/// <see cref="Good"/>, bad where it is at most <see cref="Bad"/>, both counted towards the better side. What lies between,
/// or is too uncertain, is neither; hard cases are reported and not summed up.
/// </summary>
public static class Strengths
{
    /// <summary>The lower end of a strength's interval.</summary>
    public const double Good = 0.8;

    /// <summary>The upper end of a weakness's interval.</summary>
    public const double Bad = 0.5;

    /// <summary>Where a version is good.</summary>
    public static IReadOnlyList<Strength> GoodAt(Report report, string version) => Of(report, version, (low, _) => low >= Good, "rarely: ", "很少：");

    /// <summary>Where a version is bad.</summary>
    public static IReadOnlyList<Strength> BadAt(Report report, string version) => Of(report, version, (_, high) => high <= Bad, "often: ", "经常：");

    // A share that should be small is named by how often it happens.
    private static IReadOnlyList<Strength> Of(Report report, string version, Func<double, double, bool> counts, string often, string oftenZh) =>
    [
        .. from metric in ComparisonMetric.All
           where metric.Group != MetricGroup.Hard
           let row = report.Rows.FirstOrDefault(r => r.Metric == metric.Key && r.Group == version)
           where row is { N: > 0 } && (metric.HigherIsBetter ? counts(row.Low, row.High) : counts(1 - row.High, 1 - row.Low))
           select new Strength(metric.HigherIsBetter ? metric.Label : often + metric.Label, metric.HigherIsBetter ? metric.LabelZh : oftenZh + metric.LabelZh, row.Value),
    ];
}

/// <summary>A strength or weakness in words, with its figure.</summary>
/// <param name="Label">In English.</param>
/// <param name="LabelZh">In Chinese.</param>
/// <param name="Value">The measured share.</param>
public sealed record Strength(string Label, string LabelZh, double Value);
