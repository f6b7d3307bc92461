using System.Text.Json.Nodes;
using Attune.Core.Evaluation.Comparison;

namespace Attune.App.Runs;

/// <summary>The losses that the runs under a folder logged.</summary>
internal static class LossCurves
{
    private const int Points = 80;

    /// <summary>One curve for each run folder that has a metrics.jsonl, thinned to what a plot can show.</summary>
    public static IReadOnlyList<LossCurve> Under(string folder) =>
    [
        .. Directory.EnumerateDirectories(folder)
            .Select(run => (Name: Path.GetFileName(run), Metrics: Path.Combine(run, "metrics.jsonl")))
            .Where(run => File.Exists(run.Metrics))
            .OrderBy(run => run.Name, StringComparer.Ordinal)
            .Select(run => new LossCurve(run.Name, Read(run.Metrics))),
    ];

    private static (double Step, double Loss)[] Read(string path)
    {
        var points = File.ReadLines(path)
            .Select(line => JsonNode.Parse(line))
            .Where(line => line?["loss"] is not null && line["step"] is not null)
            .Select(line => ((double)line!["step"]!, (double)line["loss"]!))
            .ToList();
        var stride = Math.Max(1, points.Count / Points);
        // Each point is the mean of its stride, so that thinning does not pick the noise.
        return [.. points.Chunk(stride).Select(chunk => (chunk[^1].Item1, chunk.Average(p => p.Item2)))];
    }
}
