using System.Globalization;
using System.Net;
using System.Text;

namespace Attune.Core.Evaluation.Comparison;

/// <summary>Small plots as inline SVG; colours are CSS variables (--s0, --s1…), so a page's theme reaches them.</summary>
public static class SvgPlot
{
    /// <summary>A figure with its interval, as a bar of one table cell: 0 to 1 from left to right.</summary>
    public static string Bar(double value, double low, double high, int series)
    {
        const double width = 96;
        return string.Create(CultureInfo.InvariantCulture,
            $"<svg class=bar viewBox='0 0 {width} 10' preserveAspectRatio=none height=10 aria-hidden=true><rect x=0 y=3 width={width} height=4 rx=2 fill='var(--rule)'/><rect x=0 y=3 width={value * width:F1} height=4 rx=2 fill='var(--s{series})'/><line x1={low * width:F1} x2={high * width:F1} y1=5 y2=5 stroke='var(--ink)' stroke-width=1.4 /></svg>");
    }

    /// <summary>Figures of several series, one line an item: a dot with its interval for each series.</summary>
    /// <param name="items">Label (English, Chinese), and for each series value, low, high (null where it has none).</param>
    public static string Intervals(IReadOnlyList<(string Label, string LabelZh, IReadOnlyList<(double Value, double Low, double High)?> Series)> items)
    {
        const int left = 340, width = 600, row = 36;
        var height = items.Count * row + 34;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg class=plot viewBox='0 0 {left + width + 30} {height}' role=img>");
        for (var tick = 0; tick <= 100; tick += 25)
        {
            var x = left + width * tick / 100.0;
            svg.Append(CultureInfo.InvariantCulture, $"<line x1={x:F1} x2={x:F1} y1=6 y2={height - 26} stroke='var(--rule)'/><text x={x:F1} y={height - 8} text-anchor=middle class=tick>{tick}%</text>");
        }
        for (var i = 0; i < items.Count; i++)
        {
            var (label, labelZh, series) = items[i];
            var middle = i * row + row / 2 + 4;
            svg.Append(CultureInfo.InvariantCulture, $"<text x={left - 14} y={middle + 4} text-anchor=end class=en>{WebUtility.HtmlEncode(label)}</text><text x={left - 14} y={middle + 4} text-anchor=end class=zh>{WebUtility.HtmlEncode(labelZh)}</text>");
            for (var s = 0; s < series.Count; s++)
            {
                if (series[s] is not { } figure)
                    continue;
                var y = middle + (s - (series.Count - 1) / 2.0) * 8;
                svg.Append(CultureInfo.InvariantCulture,
                    $"<line x1={left + figure.Low * width:F1} x2={left + figure.High * width:F1} y1={y:F1} y2={y:F1} stroke='var(--s{s})' stroke-width=2 stroke-linecap=round /><circle cx={left + figure.Value * width:F1} cy={y:F1} r=3.6 fill='var(--s{s})'/>");
            }
        }
        return svg.Append("</svg>").ToString();
    }

    /// <summary>Curves over steps on one pair of axes, each over its own span of steps; the loss axis is logarithmic.</summary>
    public static string Curves(IReadOnlyList<LossCurve> curves)
    {
        const int left = 56, top = 12, width = 900, height = 240;
        var drawn = curves.Where(c => c.Points.Count > 1).ToList();
        if (drawn.Count == 0)
            return "";
        var losses = drawn.SelectMany(c => c.Points).Select(p => Math.Max(p.Loss, 1e-3)).ToList();
        var (low, high) = (Math.Log(losses.Min()), Math.Log(losses.Max()));
        if (high - low < 1e-9)
            high = low + 1;
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg class=plot viewBox='0 0 {left + width + 20} {top + height + 40}' role=img>");
        for (var tick = 0; tick <= 4; tick++)
        {
            var y = top + height * tick / 4.0;
            svg.Append(CultureInfo.InvariantCulture, $"<line x1={left} x2={left + width} y1={y:F1} y2={y:F1} stroke='var(--rule)'/><text x={left - 8} y={y + 4:F1} text-anchor=end class=tick>{Math.Exp(high - (high - low) * tick / 4):G2}</text>");
        }
        for (var c = 0; c < drawn.Count; c++)
        {
            var points = drawn[c].Points;
            var last = Math.Max(1, points[^1].Step);
            svg.Append(CultureInfo.InvariantCulture, $"<polyline fill=none stroke='var(--s{c % 5})' stroke-width=1.8 points='");
            foreach (var (step, loss) in points)
                svg.Append(CultureInfo.InvariantCulture, $"{left + width * step / last:F1},{top + height * (high - Math.Log(Math.Max(loss, 1e-3))) / (high - low):F1} ");
            svg.Append("'/>");
        }
        svg.Append(CultureInfo.InvariantCulture, $"<text x={left} y={top + height + 18} class=tick>0</text><text x={left + width} y={top + height + 18} text-anchor=end class=tick>100%</text>");
        for (var c = 0; c < drawn.Count; c++)
            svg.Append(CultureInfo.InvariantCulture, $"<circle cx={left + c * 150 + 6} cy={top + height + 32} r=4 fill='var(--s{c % 5})'/><text x={left + c * 150 + 16} y={top + height + 36} class=tick>{WebUtility.HtmlEncode(drawn[c].Name)}</text>");
        return svg.Append("</svg>").ToString();
    }

    /// <summary>Lines of points with their intervals on one pair of axes; both axes span what is drawn. Where they share their x they stand a little beside each other, so that none hides another's intervals.</summary>
    /// <param name="axis">What stands below.</param>
    /// <param name="lines">A name and its points, in order of x. One without points is not drawn, and keeps its colour free.</param>
    /// <param name="beside">What stands beside.</param>
    /// <param name="logarithmic">Whether equal steps of x are equal ratios; then every x is above 0.</param>
    public static string Lines(string axis, IReadOnlyList<(string Name, IReadOnlyList<(double X, double Value, double Low, double High)> Points)> lines, string beside = "", bool logarithmic = false)
    {
        const int left = 72, top = 26, width = 700, height = 220;
        var points = lines.SelectMany(l => l.Points).Where(p => double.IsFinite(p.X) && double.IsFinite(p.Value)).ToList();
        if (points.Count == 0)
            return "";
        double Place(double x) => logarithmic ? Math.Log(x) : x;
        var (x0, x1) = Span(points.Select(p => Place(p.X)));
        var (y0, y1) = Span(points.SelectMany(p => new[] { p.Value, p.Low, p.High }).Where(double.IsFinite));
        double X(double x) => left + width * (Place(x) - x0) / (x1 - x0);
        double Y(double y) => top + height * (y1 - Math.Clamp(y, y0, y1)) / (y1 - y0);
        var svg = new StringBuilder();
        svg.Append(CultureInfo.InvariantCulture, $"<svg class=plot viewBox='0 0 {left + width + 36} {top + height + 54}' role=img><text x={left} y={top - 10} class=tick>{WebUtility.HtmlEncode(beside)}</text>");
        for (var tick = 0; tick <= 4; tick++)
        {
            var y = y0 + (y1 - y0) * tick / 4;
            svg.Append(CultureInfo.InvariantCulture, $"<line x1={left} x2={left + width} y1={Y(y):F1} y2={Y(y):F1} stroke='var(--rule)'/><text x={left - 8} y={Y(y) + 4:F1} text-anchor=end class=tick>{y:G3}</text>");
        }
        // What was measured, where that leaves room to read; else five places at equal distances.
        double[] values = [.. points.Select(p => p.X).Distinct().Order()];
        var few = values.Zip(values.Skip(1)).All(p => X(p.Second) - X(p.First) >= 36);
        foreach (var x in few ? values : Enumerable.Range(0, 5).Select(tick => x0 + (x1 - x0) * tick / 4).Select(x => logarithmic ? Math.Exp(x) : x))
            svg.Append(CultureInfo.InvariantCulture, $"<text x={X(x):F1} y={top + height + 18} text-anchor=middle class=tick>{x:G3}</text>");
        svg.Append(CultureInfo.InvariantCulture, $"<text x={left + width} y={top + height + 34} text-anchor=end class=tick>{WebUtility.HtmlEncode(axis)}</text>");
        var legend = left + 6;
        for (var l = 0; l < lines.Count; l++)
        {
            var drawn = lines[l].Points.Where(p => double.IsFinite(p.X) && double.IsFinite(p.Value)).Select(p => (X: X(p.X) + (few ? (l - (lines.Count - 1) / 2.0) * 5 : 0), p.Value, Low: double.IsFinite(p.Low) ? p.Low : y0, High: double.IsFinite(p.High) ? p.High : y1)).ToList();
            if (drawn.Count == 0)
                continue;
            svg.Append(CultureInfo.InvariantCulture, $"<polyline fill=none stroke='var(--s{l % 5})' stroke-width=1.8 points='");
            foreach (var point in drawn)
                svg.Append(CultureInfo.InvariantCulture, $"{point.X:F1},{Y(point.Value):F1} ");
            svg.Append("'/>");
            foreach (var point in drawn)
                svg.Append(CultureInfo.InvariantCulture, $"<line x1={point.X:F1} x2={point.X:F1} y1={Y(point.Low):F1} y2={Y(point.High):F1} stroke='var(--s{l % 5})'/><circle cx={point.X:F1} cy={Y(point.Value):F1} r=3.6 fill='var(--s{l % 5})'/>");
            svg.Append(CultureInfo.InvariantCulture, $"<circle cx={legend} cy={top + height + 46} r=4 fill='var(--s{l % 5})'/><text x={legend + 10} y={top + height + 50} class=tick>{WebUtility.HtmlEncode(lines[l].Name)}</text>");
            legend += 44 + 7 * lines[l].Name.Length;
        }
        return svg.Append("</svg>").ToString();
    }

    // A little wider than what is drawn; never empty.
    private static (double Low, double High) Span(IEnumerable<double> values)
    {
        var (low, high) = (values.Min(), values.Max());
        var room = high > low ? (high - low) * 0.04 : Math.Max(1e-6, Math.Abs(high) * 0.1);
        return (low - room, high + room);
    }

    /// <summary>Shares that add up to one, as one bar; the page names its parts beside it.</summary>
    /// <param name="shares">The parts.</param>
    /// <param name="kinds">All kinds of the page in order: a kind has one colour (--k0…) wherever it appears.</param>
    public static string Shares(IReadOnlyList<DataShare> shares, IReadOnlyList<string> kinds)
    {
        const double width = 960;
        var svg = new StringBuilder($"<svg class=plot viewBox='0 0 {width.ToString(CultureInfo.InvariantCulture)} 24' role=img>");
        var x = 0.0;
        foreach (var share in shares)
        {
            var part = share.Share * width;
            svg.Append(CultureInfo.InvariantCulture, $"<rect x={x:F1} y=2 width={Math.Max(0, part - 1):F1} height=20 rx=2 fill='var(--k{kinds.ToList().IndexOf(share.Kind) % HtmlStyle.KindColours})'><title>{WebUtility.HtmlEncode(share.Kind)} {share.Share:P1}</title></rect>");
            x += part;
        }
        return svg.Append("</svg>").ToString();
    }
}
