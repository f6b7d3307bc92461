using System.Text.Json.Nodes;

namespace Attune.Core.Evaluation;

/// <summary>One figure: never without the number of items, its interval, and what chance would give.</summary>
public sealed record ReportRow
{
    /// <summary>What was measured: knowledge.top…</summary>
    public required string Metric { get; init; }

    /// <summary>Of what: a version, or a pair of them.</summary>
    public required string Group { get; init; }

    /// <summary>The figure.</summary>
    public required double Value { get; init; }

    /// <summary>Lower end of its 95% interval.</summary>
    public required double Low { get; init; }

    /// <summary>Upper end of its 95% interval.</summary>
    public required double High { get; init; }

    /// <summary>Items.</summary>
    public required int N { get; init; }

    /// <summary>What chance, or the most common answer, would give; null where that has no meaning.</summary>
    public double? Chance { get; init; }

    /// <summary>How figure and interval were computed.</summary>
    public required string Method { get; init; }

    /// <summary>The seed that the items were drawn with.</summary>
    public long Seed { get; init; }
}

/// <summary>The one envelope of every report (docs/report.schema.json).</summary>
public sealed record Report
{
    /// <summary>Version of the envelope.</summary>
    public const int SchemaVersion = 1;

    /// <summary>comparison, evaluation, bench…</summary>
    public required string Kind { get; init; }

    /// <summary>Manifest digests (or folders) of what was measured, by name.</summary>
    public required IReadOnlyDictionary<string, string> Subjects { get; init; }

    /// <summary>The command that made it.</summary>
    public required string Command { get; init; }

    /// <summary>The options it ran with.</summary>
    public required JsonObject Options { get; init; }

    /// <summary>Machine, threads, matmul ceiling.</summary>
    public required JsonObject Environment { get; init; }

    /// <summary>The figures.</summary>
    public required IReadOnlyList<ReportRow> Rows { get; init; }

    /// <summary>What belongs to this kind of report beside its figures: stages, shares of data, cost.</summary>
    public JsonObject Details { get; init; } = [];

    /// <summary>The report as JSON, in snake case.</summary>
    public JsonObject ToJson() => new()
    {
        ["schema_version"] = SchemaVersion,
        ["kind"] = Kind,
        ["subjects"] = new JsonObject(Subjects.Select(s => KeyValuePair.Create(s.Key, (JsonNode?)JsonValue.Create(s.Value)))),
        ["command"] = Command,
        ["options"] = Options.DeepClone(),
        ["environment"] = Environment.DeepClone(),
        ["rows"] = new JsonArray([.. Rows.Select(ToJson)]),
        ["details"] = Details.DeepClone(),
    };

    private static JsonNode ToJson(ReportRow row) => new JsonObject
    {
        ["metric"] = row.Metric,
        ["group"] = row.Group,
        ["value"] = Finite(row.Value),
        ["low"] = Finite(row.Low),
        ["high"] = Finite(row.High),
        ["n"] = row.N,
        ["chance"] = row.Chance,
        ["method"] = row.Method,
        ["seed"] = row.Seed,
    };

    // JSON has no NaN: a figure that could not be computed is null.
    private static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
