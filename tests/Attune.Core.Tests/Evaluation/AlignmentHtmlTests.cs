using System.Text.Json.Nodes;
using Attune.Core.Evaluation;
using Attune.Core.Evaluation.Alignment;
using Attune.Core.Evaluation.Comparison;
using Xunit;

namespace Attune.Core.Tests.Evaluation;

public class AlignmentHtmlTests
{
    private static ReportRow Row(string metric, string group, double value) =>
        new() { Metric = metric, Group = group, Value = value, Low = value - 0.1, High = value + 0.1, N = 10, Method = "made up" };

    [Fact]
    public void The_page_holds_verdicts_methods_figures_and_sweeps_in_both_languages()
    {
        var report = new Report
        {
            Kind = "alignment",
            Subjects = new Dictionary<string, string>(),
            Command = "attune compare-alignment <x>",
            Options = [],
            Environment = new JsonObject { ["cores"] = 2 },
            Rows = [Row("quality", "dpo", 0.7), Row("helpfulness", "dpo", 0.8), Row("harm", "dpo", 0.05), Row("winrate", "dpo over sft", 0.6), Row("cost.policy.seconds", "dpo", 12)],
        };
        AlignmentAnswer[] answers = [new("Is it so?", "是吗？", [new("It is <so>", "a figure", 0.1, 0.05, 0.2, Finding.Supported)]), new("And this?", "这个呢？", [])];
        var html = AlignmentHtml.Render(report, [new("dpo", "pairs", "成对", "2", "β", 7)], ["dpo"], answers,
            [new("Noise", "噪声", "share", "quality", [("dpo", [(0, 0.7, 0.6, 0.8), (1, 0.2, 0.1, 0.3)])])], "zh");
        Assert.Contains("<html lang=zh", html, StringComparison.Ordinal);
        foreach (var part in new[] { "Is it so? Supported.", "是吗？成立", "It is &lt;so&gt;", "cannot be told", "policy: seconds", "70.0%", "Noise", "噪声", "&lt;x&gt;" })
            Assert.Contains(part, html, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(2, html.Split("<svg").Length - 1);
    }

    [Fact]
    public void Lines_stay_inside_their_plot()
    {
        var svg = SvgPlot.Lines("x", [("one", [(0, 0.2, 0.1, 0.3), (0.5, 0.9, 0.8, 1.0)]), ("two", [(0.25, -3, -4, -2)])]);
        // Attributes are written without quotes; that is HTML, so only the numbers are looked at.
        foreach (var point in System.Text.RegularExpressions.Regex.Matches(svg, @"cx=([\d.]+) cy=([\d.]+) r=3\.6").Select(m => (X: double.Parse(m.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture), Y: double.Parse(m.Groups[2].Value, System.Globalization.CultureInfo.InvariantCulture))))
        {
            Assert.InRange(point.X, 72, 772);
            Assert.InRange(point.Y, 26, 246);
        }
        Assert.Equal("", SvgPlot.Lines("x", []));
        Assert.NotEqual("", SvgPlot.Lines("x", [("one", [(1, 1, 1, 1)])]));
    }
}
