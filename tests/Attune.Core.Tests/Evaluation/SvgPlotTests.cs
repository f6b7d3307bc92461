using System.Globalization;
using System.Text.RegularExpressions;
using Attune.Core.Evaluation.Comparison;
using Xunit;

namespace Attune.Core.Tests.Evaluation;

public sealed partial class SvgPlotTests
{
    [Fact]
    public void A_bar_is_as_long_as_its_figure_and_its_line_spans_the_interval()
    {
        var svg = SvgPlot.Bar(0.5, 0.25, 0.75, series: 1);
        Assert.Contains("width=48.0 height=4 rx=2 fill='var(--s1)'", svg, StringComparison.Ordinal);
        Assert.Contains("x1=24.0 x2=72.0", svg, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_figure_is_a_dot_inside_its_interval()
    {
        var svg = SvgPlot.Intervals([("first", "一", [(0.2, 0.1, 0.3), null]), ("second & more", "二", [(1, 0.9, 1), (0, 0, 0.1)])]);
        var lines = Interval().Matches(svg);
        var dots = Dot().Matches(svg);
        Assert.Equal(3, dots.Count);
        Assert.Equal(3, lines.Count);
        for (var i = 0; i < dots.Count; i++)
            Assert.InRange(Number(dots[i], 1), Number(lines[i], 1), Number(lines[i], 2));
        Assert.Contains("second &amp; more", svg, StringComparison.Ordinal);
        Assert.Contains("二", svg, StringComparison.Ordinal);
    }

    [Fact]
    public void Curves_fall_as_losses_do_and_stay_on_the_plot()
    {
        var svg = SvgPlot.Curves([new("long", [(0, 8), (50, 4), (100, 1)]), new("short", [(0, 2), (10, 1)]), new("one point", [(0, 3)])]);
        var curves = Points().Matches(svg).Select(m => m.Groups[1].Value.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(p => p.Split(',').Select(n => double.Parse(n, CultureInfo.InvariantCulture)).ToArray()).ToArray()).ToArray();
        Assert.Equal(2, curves.Length);
        foreach (var curve in curves)
        {
            // Down on a page is up in SVG's y; each curve spans the whole width.
            Assert.Equal(curve.OrderBy(p => p[1]), curve);
            Assert.Equal((56.0, 956.0), (curve[0][0], curve[^1][0]));
            Assert.All(curve, p => Assert.InRange(p[1], 12, 252));
        }
        // Halving twice in log space: 8 to 4 is a third of the way to 1.
        Assert.Equal(12 + 240 / 3.0, curves[0][1][1], 0.06);
    }

    [Fact]
    public void Without_curves_there_is_no_plot()
    {
        Assert.Equal("", SvgPlot.Curves([]));
        Assert.Equal("", SvgPlot.Curves([new("one point", [(0, 3)])]));
        Assert.DoesNotContain("NaN", SvgPlot.Curves([new("flat", [(0, 3), (5, 3)])]), StringComparison.Ordinal);
    }

    [Fact]
    public void Shares_fill_the_bar_and_a_kind_keeps_its_colour()
    {
        string[] kinds = ["tone & more", "reading", "rare"];
        var svg = SvgPlot.Shares([new("reading", 0.6), new("tone & more", 0.38), new("rare", 0.02)], kinds);
        var parts = Part().Matches(svg);
        Assert.Equal(3, parts.Count);
        Assert.Equal(960, Number(parts[^1], 1) + Number(parts[^1], 2) + 1, 0.2);
        Assert.Equal(["1", "0", "2"], parts.Select(p => p.Groups[3].Value));
        Assert.Contains("<title>rare", svg, StringComparison.Ordinal);
        Assert.Contains("tone &amp; more", svg, StringComparison.Ordinal);
    }

    private static double Number(Match match, int group) => double.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"<line x1=([\d.]+) x2=([\d.]+) y1=[\d.]+ y2=[\d.]+ stroke='var\(--s\d")]
    private static partial Regex Interval();

    [GeneratedRegex(@"<circle cx=([\d.]+)")]
    private static partial Regex Dot();

    [GeneratedRegex("points='([^']*)'")]
    private static partial Regex Points();

    [GeneratedRegex(@"<rect x=([\d.]+) y=2 width=([\d.]+) height=20 rx=2 fill='var\(--k(\d)\)'")]
    private static partial Regex Part();
}
