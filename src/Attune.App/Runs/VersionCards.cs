using System.Text.Json.Nodes;
using Attune.Core.Evaluation.Comparison;
using Attune.Core.Versions;

namespace Attune.App.Runs;

/// <summary>Reads what a version is from its lineage, and what it cost from the reports attached to it.</summary>
internal static class VersionCards
{
    /// <summary>The cards of some versions, each with the stages since the one before it.</summary>
    public static IReadOnlyList<VersionCard> Of(ModelStore? store, IReadOnlyList<(string Name, ModelVersion? Version)> versions)
    {
        var cards = new List<VersionCard>();
        var before = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (name, version) in versions)
        {
            cards.Add(version is null || store is null
                ? new VersionCard { Name = name, Kind = "folder", Stages = [] }
                : new VersionCard { Name = name, Kind = version.Kind.ToString(), Digest = version.Digest, Stages = Stages(store, version, before) });
            if (version is not null)
                before.Add(version.Digest);
        }
        return cards;
    }

    private static List<StageCard> Stages(ModelStore store, ModelVersion version, HashSet<string> before)
    {
        var known = store.List().ToDictionary(v => v.Digest, StringComparer.Ordinal);
        var stages = new List<StageCard>();
        for (var at = version; at is not null && !before.Contains(at.Digest); at = at.Lineage.Parent is { } parent ? known.GetValueOrDefault(parent) : null)
            stages.Insert(0, Stage(store, at));
        return stages;
    }

    private static StageCard Stage(ModelStore store, ModelVersion version)
    {
        var facts = version.Lineage.Facts;
        var run = store.Reports(version.Digest).LastOrDefault(r => r.Kind == "run") is { } report
            ? JsonNode.Parse(File.ReadAllText(report.Path))
            : null;
        var shares = facts["data_shares"]?.AsArray() ?? [];
        var labels = shares.Sum(s => (double?)s!["label_tokens"] ?? 0);
        return new StageCard
        {
            Stage = version.Lineage.Stage,
            Steps = (long?)facts["steps"] ?? 0,
            Tokens = (long?)facts["tokens"] ?? 0,
            Seconds = (double?)run?["seconds"],
            PeakMemoryBytes = (long?)run?["peak_memory_bytes"],
            ShareOfCeiling = (double?)run?["share_of_ceiling"],
            Data = [.. shares.Select(s => new DataShare((string?)s!["kind"] is { Length: > 0 } kind ? kind : Files(version), labels == 0 ? 0 : (double)s["label_tokens"]! / labels))],
        };
    }

    // Rows that do not say what kind they are go by the names of their files.
    private static string Files(ModelVersion version) => string.Join(" + ", version.Lineage.Data.Where(d => d.Rows > 0).Select(d => d.Name));
}
