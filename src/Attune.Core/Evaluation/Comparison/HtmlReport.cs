using System.Globalization;
using System.Net;
using System.Text;

namespace Attune.Core.Evaluation.Comparison;

/// <summary>
/// A comparison as one self-contained page: the versions side by side, plots with intervals, loss curves, what each
/// stage was trained on. It speaks English and Chinese and follows the reader's light or dark theme.
/// </summary>
public static class HtmlReport
{
    private static readonly (MetricGroup Group, string En, string Zh)[] Groups =
    [
        (MetricGroup.Knowledge, "Knowledge", "知识"),
        (MetricGroup.Following, "Following", "遵循"),
        (MetricGroup.Conversation, "Conversation", "对话"),
        (MetricGroup.Refusal, "Refusal and secrets", "拒答与保密"),
        (MetricGroup.Hard, "Hard cases, as found", "困难情形（如实报告）"),
    ];

    /// <summary>Renders the page.</summary>
    /// <param name="report">The figures.</param>
    /// <param name="cards">The versions, in the order of the figures.</param>
    /// <param name="curves">Losses of the stages.</param>
    /// <param name="language">en or zh: what the page shows first; the reader can change it.</param>
    public static string Render(Report report, IReadOnlyList<VersionCard> cards, IReadOnlyList<LossCurve> curves, string language)
    {
        var html = new StringBuilder();
        html.Append(CultureInfo.InvariantCulture, $"<!doctype html><html lang={(language == "zh" ? "zh" : "en")} class={(language == "zh" ? "zh" : "en")}><meta charset=utf-8><meta name=viewport content='width=device-width'><title>Attune: {Text(string.Join(" · ", cards.Select(c => c.Name)))}</title><style>{Style}</style>");
        html.Append("<main><button onclick=\"document.documentElement.className=document.documentElement.className=='zh'?'en':'zh'\">English / 中文</button>");
        html.Append(Both("h1", "What each version is good and bad at", "各版本的长处与短处"));
        html.Append(Both("p", "Every figure is measured on the same questions about people and wordings held out of training, with its 95% interval. What is not measured is read from lineage.", "所有数字都在训练中未出现的人物与问法上、用同一批问题测得，并附 95% 区间；其余信息来自谱系记录。"));
        Legend(html, cards);
        Head(html, cards);
        foreach (var group in Groups)
            Group(html, group, report, cards);
        WinRate(html, report);
        Differences(html, report);
        html.Append(Both("h2", "Loss while training (each curve over its own stage)", "训练损失（每条曲线对应各自阶段）")).Append(SvgPlot.Curves(curves));
        Data(html, cards);
        Foot(html, report);
        return html.Append("</main></html>").ToString();
    }

    private static void Legend(StringBuilder html, IReadOnlyList<VersionCard> cards)
    {
        html.Append("<p class=legend>");
        for (var i = 0; i < cards.Count; i++)
            html.Append(CultureInfo.InvariantCulture, $"<span style='--c:var(--s{i})'>{Text(cards[i].Name)}</span>");
        html.Append("</p>");
    }

    private static void Head(StringBuilder html, IReadOnlyList<VersionCard> cards)
    {
        html.Append("<div class=scroll><table><tr><th>");
        foreach (var card in cards)
            html.Append(CultureInfo.InvariantCulture, $"<th>{Text(card.Name)}<small>{Text(card.Kind)} {Text(card.Digest is { Length: > 19 } d ? d[7..19] : "")}</small>");
        Row("objective", "目标", card => Text(card.Objective));
        Row("training", "训练", card => string.Join("<br>", card.Stages.Select(s => string.Create(CultureInfo.InvariantCulture, $"{Text(s.Stage)}: {s.Steps:N0} steps, {s.Tokens / 1e6:F2} M tokens"))));
        Row("cost", "开销", card => string.Join("<br>", card.Stages.Select(s => s.Seconds is { } seconds
            ? string.Create(CultureInfo.InvariantCulture, $"{seconds:F0} s, {(s.PeakMemoryBytes ?? 0) / 1e6:F0} MB, {s.ShareOfCeiling:P0} of the ceiling") : "—")));
        html.Append("</table></div>");

        void Row(string en, string zh, Func<VersionCard, string> cell)
        {
            html.Append(CultureInfo.InvariantCulture, $"<tr>{Both("th", en, zh)}");
            foreach (var card in cards)
                html.Append(CultureInfo.InvariantCulture, $"<td>{cell(card)}");
        }
    }

    private static void Group(StringBuilder html, (MetricGroup Group, string En, string Zh) group, Report report, IReadOnlyList<VersionCard> cards)
    {
        var metrics = ComparisonMetric.All.Where(m => m.Group == group.Group).ToList();
        ReportRow? Find(ComparisonMetric metric, VersionCard card) => report.Rows.FirstOrDefault(r => r.Metric == metric.Key && r.Group == card.Name);

        html.Append(Both("h2", group.En, group.Zh)).Append("<div class=scroll><table><tr><th>");
        foreach (var card in cards)
            html.Append(CultureInfo.InvariantCulture, $"<th>{Text(card.Name)}");
        foreach (var metric in metrics)
        {
            html.Append(CultureInfo.InvariantCulture, $"<tr><th>{Both("span", metric.Label, metric.LabelZh)} <i title='{(metric.HigherIsBetter ? "higher is better" : "lower is better")}'>{(metric.HigherIsBetter ? "↑" : "↓")}</i>");
            for (var i = 0; i < cards.Count; i++)
            {
                html.Append(Find(metric, cards[i]) is { N: > 0 } row
                    ? string.Create(CultureInfo.InvariantCulture, $"<td><b>{row.Value:P1}</b> <small>{row.Low * 100:F1}–{row.High * 100:F1}, n {row.N}{(row.Chance is { } chance ? string.Create(CultureInfo.InvariantCulture, $", chance {chance:P0}") : "")}</small>{SvgPlot.Bar(row.Value, row.Low, row.High, i)}")
                    : "<td>—");
            }
        }
        html.Append("</table></div>");
        html.Append(SvgPlot.Intervals([.. metrics.Select(metric => (metric.Label, metric.LabelZh,
            (IReadOnlyList<(double, double, double)?>)[.. cards.Select(card => Find(metric, card) is { N: > 0 } row ? (row.Value, row.Low, row.High) : ((double, double, double)?)null)]))]));
    }

    private static void WinRate(StringBuilder html, Report report)
    {
        if (report.Rows.FirstOrDefault(r => r.Metric == "winrate") is not { } row)
            return;
        html.Append(Both("h2", "Head to head where behaviour is judged", "行为对比胜率"));
        html.Append(CultureInfo.InvariantCulture, $"<p><b>{Text(row.Group)}: {row.Value:P1}</b> <small>{row.Low * 100:F1}–{row.High * 100:F1}, n {row.N}, {Text(row.Method)}</small></p>");
    }

    private static void Differences(StringBuilder html, Report report)
    {
        var rows = report.Rows.Where(r => r.Metric.EndsWith(".difference", StringComparison.Ordinal)).ToList();
        if (rows.Count == 0)
            return;
        html.Append(Both("h2", "What the last step cost on tasks, paired", "最后一步对任务的影响（配对差）"));
        html.Append(CultureInfo.InvariantCulture, $"<div class=scroll><table><tr><th><th>{Text(rows[0].Group)}");
        foreach (var row in rows)
        {
            var metric = ComparisonMetric.All.First(m => row.Metric.StartsWith(m.Key, StringComparison.Ordinal) && row.Metric.Length == m.Key.Length + ".difference".Length);
            html.Append(CultureInfo.InvariantCulture, $"<tr>{Both("th", metric.Label, metric.LabelZh)}<td><b>{row.Value * 100:+0.0;−0.0;0.0}</b> <small>{row.Low * 100:F1} … {row.High * 100:F1}, n {row.N}</small>");
        }
        html.Append("</table></div>");
    }

    private static void Data(StringBuilder html, IReadOnlyList<VersionCard> cards)
    {
        html.Append(Both("h2", "What each stage was trained on (share of the tokens in the loss)", "各阶段的训练数据（按计入损失的词元）"));
        foreach (var (card, stage) in cards.SelectMany(card => card.Stages.Select(stage => (card, stage))).Where(x => x.stage.Data.Count > 0))
            html.Append(CultureInfo.InvariantCulture, $"<p>{Text(card.Name)}, {Text(stage.Stage)}</p>{SvgPlot.Shares(stage.Data)}");
        html.Append(Both("p",
            "A kind of data that one version had and another had not explains a lead: read these bars beside the figures. Instruct saw no attack on secrets and no conversation of several turns; a lead of Chat there was taught, not won by the method.",
            "某个版本独有的数据种类本身就能解释其领先，请对照这些条形来看：Instruct 没有见过针对秘密的攻击和多轮对话；Chat 在这些方面的领先来自数据，而不是方法。"));
    }

    private static void Foot(StringBuilder html, Report report)
    {
        html.Append(CultureInfo.InvariantCulture, $"<footer><p><code>{Text(report.Command)}</code></p><p>{Text(string.Join(" · ", report.Environment.Select(e => $"{e.Key}: {e.Value}")))}</p></footer>");
    }

    private static string Both(string tag, string en, string zh) => $"<{tag}><span class=en>{Text(en)}</span><span class=zh>{Text(zh)}</span></{tag}>";

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private const string Style = """
        :root{--paper:#fbfaf7;--ink:#22262b;--soft:#6b7178;--rule:#dfdcd4;--s0:#8a6d3b;--s1:#2f6f9f;--s2:#2f8f5b;--s3:#8e5ea2;--s4:#b5544a}
        @media(prefers-color-scheme:dark){:root{--paper:#16181b;--ink:#e8e6e1;--soft:#9aa0a6;--rule:#33373c;--s0:#c9a566;--s1:#6db1e0;--s2:#67c596;--s3:#bd93d1;--s4:#e08a80}}
        html{background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,"Noto Sans CJK SC",sans-serif}
        html.en .zh,html.zh .en{display:none}
        main{max-width:880px;margin:2.5rem auto;padding:0 1.2rem}
        h1{font-size:1.7rem;margin:.2rem 0}h2{font-size:1.1rem;margin:2.2rem 0 .6rem}
        button{float:right;border:1px solid var(--rule);background:none;color:var(--soft);border-radius:6px;padding:.2rem .6rem;cursor:pointer}
        .scroll{overflow-x:auto}table{border-collapse:collapse;width:100%}
        th,td{text-align:left;vertical-align:top;padding:.45rem .7rem .45rem 0;border-bottom:1px solid var(--rule);font-weight:400}
        tr:first-child th,td b{font-weight:600}small{color:var(--soft);display:block;font-size:.78rem}i{color:var(--soft);font-style:normal}
        .bar{display:block;margin-top:.2rem}.plot{width:100%;height:auto;margin:.8rem 0}.plot text{fill:var(--ink);font-size:12.5px}.plot .tick{fill:var(--soft);font-size:11px}
        .legend span{margin-right:1.4rem}.legend span:before{content:"";display:inline-block;width:.7em;height:.7em;border-radius:50%;background:var(--c);margin-right:.45em}
        footer{margin-top:3rem;color:var(--soft);font-size:.85rem;border-top:1px solid var(--rule)}code{font-size:.85rem}
        """;
}
