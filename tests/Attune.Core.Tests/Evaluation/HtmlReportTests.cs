using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Attune.Core.Evaluation;
using Attune.Core.Evaluation.Comparison;
using Xunit;

namespace Attune.Core.Tests.Evaluation;

public sealed partial class HtmlReportTests
{
    private static readonly JudgedVersion Before = Judged.Version("before", (_, i) => i % 3 == 0);
    private static readonly JudgedVersion After = Judged.Version("after", (_, i) => i % 4 != 0);

    private static VersionCard Card(string name, string kind = "Chat", string stage = "dpo") => new()
    {
        Name = name,
        Kind = kind,
        Digest = "sha256:0123456789abcdef0123456789abcdef",
        Stages = [new StageCard { Stage = stage, Steps = 1200, Tokens = 3_500_000, Seconds = 61, PeakMemoryBytes = 900_000_000, ShareOfCeiling = 0.25, Data = [new("reading", 0.75), new("tone", 0.25)] }],
    };

    private static Report Measured(string command = "attune compare", params JudgedVersion[] versions) => new()
    {
        Kind = "comparison",
        Subjects = new Dictionary<string, string>(),
        Command = command,
        Options = [],
        Environment = new JsonObject { ["threads"] = 2 },
        Rows = VersionComparison.Measure(versions.Length > 0 ? versions : [Before, After], Judged.Judge, 7),
    };

    private static string Render(string language = "en") => HtmlReport.Render(Measured(), [Card("before"), Card("after")], [new LossCurve("before", [(0, 4), (10, 2)])], language);

    [Theory]
    [InlineData("en")]
    [InlineData("zh")]
    public void It_speaks_the_language_that_was_asked_and_holds_the_other(string language)
    {
        var html = Render(language);
        Assert.StartsWith($"<!doctype html><html lang={language} class={language}>", html, StringComparison.Ordinal);
        foreach (var metric in ComparisonMetric.All)
        {
            Assert.Contains(WebUtility.HtmlEncode(metric.Label), html, StringComparison.Ordinal);
            Assert.Contains(WebUtility.HtmlEncode(metric.LabelZh), html, StringComparison.Ordinal);
        }
        Assert.Equal(SpansOf("en").Count(html), SpansOf("zh").Count(html));
    }

    [Fact]
    public void Every_figure_is_there_with_its_items_and_chance()
    {
        var html = Render();
        foreach (var row in Measured().Rows.Where(r => ComparisonMetric.All.Any(m => m.Key == r.Metric)))
        {
            var chance = row.Chance is { } c ? string.Create(CultureInfo.InvariantCulture, $", chance {c * 100:F0}%") : "";
            Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"<b>{row.Value * 100:F1}%</b> <small>{row.Low * 100:F1}–{row.High * 100:F1}, n {row.N}{chance}</small>"), html, StringComparison.Ordinal);
        }
        var win = Measured().Rows.Single(r => r.Metric == "winrate");
        Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"after over before: {win.Value * 100:F1}%"), html, StringComparison.Ordinal);
        Assert.Contains("after - before", html, StringComparison.Ordinal);
    }

    [Fact]
    public void A_version_without_a_figure_has_a_dash_there()
    {
        var html = HtmlReport.Render(Measured("attune compare", Before), [Card("before"), Card("never asked")], [], "en");
        Assert.Equal(ComparisonMetric.All.Count, html.Split("<td>—").Length - 1);
        Assert.DoesNotContain("winrate", html, StringComparison.Ordinal);
    }

    [Fact]
    public void A_strength_is_an_interval_that_lies_wholly_on_one_side()
    {
        ReportRow Row(string metric, double low, double high) => new() { Metric = metric, Group = "v", Value = (low + high) / 2, Low = low, High = high, N = 100, Method = "made up" };
        var report = Measured() with
        {
            Rows = [Row("reading", 0.8, 0.9), Row("knowledge.top", 0.79, 0.99), Row("tone", 0.4, 0.5), Row("format.json", 0.4, 0.51), Row("secrets.attack", 0.0, 0.1), Row("refusal.over", 0.6, 0.7), Row("hard.several", 0.9, 1)],
        };
        Assert.Equal(["reading, people never seen", "rarely: secrets given away, under attack"], Strengths.GoodAt(report, "v").Select(s => s.Label));
        Assert.Equal(["polite tone", "often: over-refusal of answerable questions"], Strengths.BadAt(report, "v").Select(s => s.Label));
        Assert.Empty(Strengths.GoodAt(report, "another"));
    }

    [Fact]
    public void Data_that_only_one_version_had_is_said()
    {
        var first = Card("first") with { Stages = [new StageCard { Stage = "sft", Data = [new("reading", 1)] }] };
        var second = Card("second") with { Stages = [new StageCard { Stage = "sft", Data = [new("reading", 0.5), new("attack", 0.5)] }] };
        Assert.Equal(["attack"], Assert.Single(VersionCard.OnlyTrainedOn([first, second])).Kinds);
        Assert.Contains("second was trained on attack; first was not.", HtmlReport.Render(Measured(), [first, second], [], "en"), StringComparison.Ordinal);
    }

    [Fact]
    public void Text_from_outside_is_escaped()
    {
        const string hostile = "<script>alert('&')</script>";
        var report = Measured(hostile, Before with { Name = hostile }, After with { Name = hostile + "2" });
        var card = Card(hostile, hostile, hostile) with
        {
            Digest = "sha256:" + hostile,
            Stages = [new StageCard { Stage = hostile, Data = [new(hostile, 1)] }],
        };
        var html = HtmlReport.Render(report with { Environment = new JsonObject { [hostile] = hostile } }, [card, card with { Name = hostile + "2" }], [new LossCurve(hostile, [(0, 4), (10, 2)])], "en");
        Assert.DoesNotContain("<script", html, StringComparison.OrdinalIgnoreCase);
        Assert.Contains(WebUtility.HtmlEncode(hostile), html, StringComparison.Ordinal);
    }

    [Fact]
    public void The_page_needs_nothing_from_elsewhere() => Assert.DoesNotMatch(Outside(), Render());

    // Turkish and German write numbers with a comma, which SVG does not read.
    [Fact]
    public void The_page_is_the_same_in_every_culture()
    {
        var (culture, expected) = (CultureInfo.CurrentCulture, Render());
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("tr-TR");
            Assert.Equal(expected, Render());
        }
        finally
        {
            CultureInfo.CurrentCulture = culture;
        }
    }

    private static Regex SpansOf(string language) => new($"<span class={language}>", RegexOptions.None, TimeSpan.FromSeconds(5));

    [GeneratedRegex(@"https?://|\bsrc=|@import|url\(")]
    private static partial Regex Outside();
}
