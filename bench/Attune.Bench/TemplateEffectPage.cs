using System.Globalization;
using System.Net;
using System.Text;
using Attune.Core.Evaluation;

namespace Attune.Bench;

/// <summary>The report of <see cref="TemplateEffect"/> as Markdown and as a page.</summary>
internal static class TemplateEffectPage
{
    /// <summary>A table a version: means of the seeds with what each way costs, then every seed with its interval.</summary>
    public static string Markdown(Report report, IReadOnlyList<string> versions)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# What a wrong prompt template costs\n\n`{report.Command}`\n\n");
        text.Append("Means of the seeds in per cent, in brackets the change against the version's own contract in points. Greedy answers to the same questions; a wrong contract is given through the override (`--contract … --allow-contract-mismatch`) that is refused unless it is meant. ");
        text.Append("BOS is printed by the template here: where a contract names a BOS, the encoder drops a second one.\n\n");
        foreach (var version in versions)
        {
            text.Append(CultureInfo.InvariantCulture, $"## {version}\n\n| spoken to by | {string.Join(" | ", TemplateEffect.Measures.Select(m => m.Label + (m.HigherIsBetter ? "" : " (less is better)")))} |\n|---|{string.Concat(TemplateEffect.Measures.Select(_ => "---|"))}\n");
            foreach (var way in TemplateEffect.Ways)
                text.Append(CultureInfo.InvariantCulture, $"| {way.Label} | {string.Join(" | ", TemplateEffect.Measures.Select(m => Mean(report, m.Key, version, way.Key)))} |\n");
            text.Append('\n');
        }
        text.Append("## Every seed\n\nShare and Wilson's 95% interval in per cent.\n\n| version | spoken to by | seed | ");
        text.Append(string.Join(" | ", TemplateEffect.Measures.Select(m => m.Label))).Append(" |\n|---|---|---|").Append(string.Concat(TemplateEffect.Measures.Select(_ => "---|"))).Append('\n');
        foreach (var (version, way) in versions.SelectMany(v => TemplateEffect.Ways.Select(w => (v, w))))
        {
            foreach (var seed in report.Rows.Where(r => r.Metric == TemplateEffect.Measures[0].Key && r.Group == $"{version}/{way.Key}").Select(r => r.Seed))
                text.Append(CultureInfo.InvariantCulture, $"| {version} | {way.Label} | {seed} | {string.Join(" | ", TemplateEffect.Measures.Select(m => One(report, m.Key, version, way.Key, seed)))} |\n");
        }
        text.Append("\n## How it sounds\n\nThe answer of the first seed to the first reading question.\n\n| version | spoken to by | answer |\n|---|---|---|\n");
        foreach (var (version, way) in versions.SelectMany(v => TemplateEffect.Ways.Select(w => (v, w))))
            text.Append(CultureInfo.InvariantCulture, $"| {version} | {way.Label} | {Cell((string?)report.Details["examples"]![$"{version}/{way.Key}"] ?? "")} |\n");
        return text.ToString();
    }

    /// <summary>The means as bars, in one self-contained page.</summary>
    public static string Html(Report report, IReadOnlyList<string> versions)
    {
        var html = new StringBuilder("<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><title>What a wrong prompt template costs</title><style>" + Style + "</style><main><h1>What a wrong prompt template costs</h1>");
        foreach (var version in versions)
        {
            html.Append(CultureInfo.InvariantCulture, $"<h2>{Escape(version)}</h2><div class=scroll><table><tr><th>spoken to by");
            foreach (var measure in TemplateEffect.Measures)
                html.Append(CultureInfo.InvariantCulture, $"<th>{Escape(measure.Label)} {(measure.HigherIsBetter ? "↑" : "↓")}");
            foreach (var way in TemplateEffect.Ways)
            {
                html.Append(CultureInfo.InvariantCulture, $"<tr><th>{Escape(way.Label)}");
                foreach (var measure in TemplateEffect.Measures)
                {
                    html.Append(Find(report, measure.Key + ".mean", version, way.Key) is { } mean
                        ? string.Create(CultureInfo.InvariantCulture, $"<td><b>{mean.Value * 100:F1}</b><small>{Change(report, measure.Key, version, way.Key)}</small><span class=bar style='width:{Math.Clamp(mean.Value * 100, 0, 100):F1}%'></span>")
                        : "<td>–");
                }
            }
            html.Append("</table></div>");
        }
        return html.Append(CultureInfo.InvariantCulture, $"<footer><code>{Escape(report.Command)}</code></footer></main></html>").ToString();
    }

    private static string Mean(Report report, string metric, string version, string way) => Find(report, metric + ".mean", version, way) is { } mean
        ? string.Create(CultureInfo.InvariantCulture, $"{mean.Value * 100:F1}{Change(report, metric, version, way)}")
        : "–";

    private static string Change(Report report, string metric, string version, string way) => Find(report, metric + ".difference", version, way) is { } change
        ? string.Create(CultureInfo.InvariantCulture, $" ({change.Value * 100:+0.0;−0.0;0.0})")
        : "";

    private static string One(Report report, string metric, string version, string way, long seed) =>
        report.Rows.FirstOrDefault(r => r.Metric == metric && r.Group == $"{version}/{way}" && r.Seed == seed) is { } row
            ? string.Create(CultureInfo.InvariantCulture, $"{row.Value * 100:F1} ({row.Low * 100:F0}–{row.High * 100:F0}, n {row.N})")
            : "–";

    private static ReportRow? Find(Report report, string metric, string version, string way) =>
        report.Rows.FirstOrDefault(r => r.Metric == metric && r.Group == $"{version}/{way}");

    private static string Cell(string text) => text.Trim().ReplaceLineEndings(" ⏎ ").Replace("|", "\\|", StringComparison.Ordinal);

    private static string Escape(string text) => WebUtility.HtmlEncode(text);

    private const string Style = """
        :root{--paper:#fbfaf7;--ink:#22262b;--soft:#6b7178;--rule:#dfdcd4;--bar:#2f6f9f}
        @media(prefers-color-scheme:dark){:root{--paper:#16181b;--ink:#e8e6e1;--soft:#9aa0a6;--rule:#33373c;--bar:#6db1e0}}
        html{background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,sans-serif}main{max-width:1100px;margin:2.5rem auto;padding:0 1.2rem}
        .scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;padding:.45rem .7rem .45rem 0;border-bottom:1px solid var(--rule);font-weight:400}
        small{color:var(--soft);display:block}.bar{display:block;height:3px;background:var(--bar);margin-top:.2rem}footer{margin-top:2rem;color:var(--soft);font-size:.85rem}
        """;
}
