using System.Text.Json.Nodes;
using Attune.Core.Evaluation;
using Attune.Core.Evaluation.Comparison;
using Attune.Testing;
using Xunit;

namespace Attune.Core.Tests.Evaluation;

public sealed class ReportSchemaTests
{
    private static JsonObject Schema { get; } = JsonNode.Parse(File.ReadAllText(Checkout.PathOf("docs", "report.schema.json")))!.AsObject();

    private static JsonObject Produced() => JsonNode.Parse(new Report
    {
        Kind = "comparison",
        Subjects = new Dictionary<string, string> { ["before"] = "sha256:00", ["after"] = "sha256:01" },
        Command = "attune compare before after",
        Options = new JsonObject { ["items"] = 12 },
        Environment = new JsonObject { ["threads"] = 2 },
        Rows = VersionComparison.Measure([Judged.Version("before", (_, i) => i % 3 == 0), Judged.Version("after", (_, i) => i % 2 == 0)], Judged.Judge, 7),
    }.ToJson().ToJsonString())!.AsObject();

    [Fact]
    public void A_produced_report_is_valid()
    {
        var report = Produced();
        Assert.NotEmpty(report["rows"]!.AsArray());
        Assert.Empty(JsonSchema.Faults(Schema, report));
    }

    [Fact]
    public void A_figure_that_could_not_be_computed_is_null_and_valid()
    {
        var report = Produced();
        report["rows"] = new Report
        {
            Kind = "evaluation",
            Subjects = new Dictionary<string, string>(),
            Command = "",
            Options = [],
            Environment = [],
            Rows = [new ReportRow { Metric = "m", Group = "g", Value = double.NaN, Low = double.NegativeInfinity, High = double.PositiveInfinity, N = 0, Method = "none" }],
        }.ToJson()["rows"]!.DeepClone();
        Assert.Null(report["rows"]![0]!["value"]);
        Assert.Empty(JsonSchema.Faults(Schema, report));
    }

    [Theory]
    [InlineData("metric")]
    [InlineData("group")]
    [InlineData("value")]
    [InlineData("low")]
    [InlineData("high")]
    [InlineData("n")]
    [InlineData("chance")]
    [InlineData("method")]
    [InlineData("seed")]
    public void A_row_without_one_of_its_fields_is_not(string field)
    {
        var report = Produced();
        report["rows"]![0]!.AsObject().Remove(field);
        Assert.Contains(field, Assert.Single(JsonSchema.Faults(Schema, report)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("n", "-1")]
    [InlineData("n", "1.5")]
    [InlineData("n", "null")]
    [InlineData("method", "\"\"")]
    [InlineData("value", "\"0.5\"")]
    [InlineData("colour", "1")]
    public void A_row_with_a_wrong_field_is_not(string field, string json)
    {
        var report = Produced();
        report["rows"]![0]![field] = JsonNode.Parse(json);
        Assert.NotEmpty(JsonSchema.Faults(Schema, report));
    }

    [Theory]
    [InlineData("schema_version", "2")]
    [InlineData("kind", "\"\"")]
    [InlineData("subjects", "{}")]
    [InlineData("rows", "{}")]
    [InlineData("time", "\"now\"")]
    public void An_envelope_with_a_wrong_field_is_not(string field, string json)
    {
        var report = Produced();
        report[field] = JsonNode.Parse(json);
        Assert.NotEmpty(JsonSchema.Faults(Schema, report));
    }
}
