using System.Globalization;
using System.Net;
using System.Text;

namespace Attune.Core.Evaluation.Comparison;

/// <summary>
/// A comparison as one self-contained page: the versions side by side (what each is, what it cost, where it is good and
/// bad), every figure with its interval, loss curves, what each stage was trained on. It speaks English and Chinese and
/// follows the reader's light or dark theme.
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

    private static readonly (string Kind, string En, string Zh)[] Behaviours =
    [
        ("secrets", "secrets", "保密"), ("tone", "tone", "语气"), ("followup", "follow-ups", "追问"), ("format", "format and rules", "格式与规则"),
    ];

    /// <summary>Renders the page.</summary>
    /// <param name="report">The figures.</param>
    /// <param name="cards">The versions, in the order of the figures.</param>
    /// <param name="curves">Losses of the stages.</param>
    /// <param name="language">en or zh: what the page shows first; the reader can change it.</param>
    public static string Render(Report report, IReadOnlyList<VersionCard> cards, IReadOnlyList<LossCurve> curves, string language)
    {
        var html = new StringBuilder();
        html.Append(Open(string.Join(" · ", cards.Select(c => c.Name)), language));
        html.Append(Both("h1", "What each version is good and bad at", "各版本的长处与短处"));
        html.Append(Both("p class=lead", "Every figure is measured on the same questions, about people and wordings held out of training, and stands with its 95% interval. What is not measured is read from lineage.", "所有数字都在训练中未出现的人物与问法上、用同一批问题测得，并附 95% 区间；其余信息来自谱系记录。"));
        Cards(html, report, cards);
        Glance(html, report, cards);
        foreach (var group in Groups)
            Group(html, group, report, cards);
        WinRate(html, report);
        Differences(html, report);
        html.Append(Both("h2", "Loss while training", "训练损失")).Append(Both("p class=note", "Each curve over its own stage, from its first step to its last; the loss is in nats, on a logarithmic axis.", "每条曲线对应各自阶段的全过程；损失以奈特为单位，对数坐标。")).Append(SvgPlot.Curves(curves));
        Data(html, cards);
        Foot(html, report);
        return html.Append("</main></html>").ToString();
    }

    private static void Cards(StringBuilder html, Report report, IReadOnlyList<VersionCard> cards)
    {
        html.Append("<div class=cards>");
        for (var i = 0; i < cards.Count; i++)
        {
            var card = cards[i];
            html.Append(CultureInfo.InvariantCulture, $"<section class=card style='--c:var(--s{i % 5})'><h3>{Text(card.Name)} <small>{Text(card.Kind)} {Text(card.Digest is { Length: > 19 } d ? d[7..19] : "")}</small></h3><dl>");
            html.Append(Both("dt", "objective", "目标")).Append(Both("dd", card.Objective, card.ObjectiveZh));
            html.Append(Both("dt", "prompt", "提示")).Append(card.Prompt.Length > 0 ? Both("dd", card.Prompt, card.Prompt) : Both("dd", "plain text", "纯文本"));
            html.Append(Both("dt", "training", "训练"));
            foreach (var stage in card.Stages)
                html.Append(Both("dd", string.Create(CultureInfo.InvariantCulture, $"{stage.Stage}: {stage.Steps:N0} steps, {stage.Tokens / 1e6:F2} M tokens"), string.Create(CultureInfo.InvariantCulture, $"{stage.Stage}：{stage.Steps:N0} 步，{stage.Tokens / 1e6:F2} M 词元")));
            html.Append(Both("dt", "cost", "开销"));
            foreach (var stage in card.Stages)
            {
                html.Append(stage.Seconds is { } seconds
                    ? Both("dd", string.Create(CultureInfo.InvariantCulture, $"{seconds:F0} s, {(stage.PeakMemoryBytes ?? 0) / 1e6:F0} MB, {Percent(stage.ShareOfCeiling ?? 0, 0)} of the matmul ceiling"), string.Create(CultureInfo.InvariantCulture, $"{seconds:F0} 秒，{(stage.PeakMemoryBytes ?? 0) / 1e6:F0} MB，矩阵乘峰值的 {Percent(stage.ShareOfCeiling ?? 0, 0)}"))
                    : "<dd>—</dd>");
            }
            List(html, Both("dt", "good at", "长处"), Strengths.GoodAt(report, card.Name));
            List(html, Both("dt", "bad at", "短处"), Strengths.BadAt(report, card.Name));
            html.Append("</dl></section>");
        }
        html.Append("</div>");
        html.Append(Both("p class=note",
            $"Good: the whole interval is at {Percent(Strengths.Good, 0)} or better. Bad: at {Percent(Strengths.Bad, 0)} or worse. What lies between is in the tables.",
            $"长处：整个区间不低于 {Percent(Strengths.Good, 0)}；短处：整个区间不高于 {Percent(Strengths.Bad, 0)}。介于两者之间的见下表。"));
    }

    private static void List(StringBuilder html, string title, IReadOnlyList<Strength> strengths)
    {
        if (strengths.Count == 0)
            return;
        html.Append(title).Append("<dd><ul>");
        foreach (var strength in strengths)
            html.Append(CultureInfo.InvariantCulture, $"<li>{Both("span", strength.Label, strength.LabelZh)}<b>{Percent(strength.Value, 0)}</b>");
        html.Append("</ul></dd>");
    }

    private static void Glance(StringBuilder html, Report report, IReadOnlyList<VersionCard> cards)
    {
        html.Append(Both("h2", "At a glance", "一览")).Append("<p class=legend>");
        for (var i = 0; i < cards.Count; i++)
            html.Append(CultureInfo.InvariantCulture, $"<span style='--c:var(--s{i % 5})'>{Text(cards[i].Name)}</span>");
        html.Append("</p>").Append(SvgPlot.Intervals([.. ComparisonMetric.All.Where(m => m.Group != MetricGroup.Hard).Select(metric => ($"{metric.Label} {Arrow(metric)}", $"{metric.LabelZh} {Arrow(metric)}",
            (IReadOnlyList<(double, double, double)?>)[.. cards.Select(card => Find(report, metric, card) is { N: > 0 } row ? (row.Value, row.Low, row.High) : ((double, double, double)?)null)]))]));
    }

    private static void Group(StringBuilder html, (MetricGroup Group, string En, string Zh) group, Report report, IReadOnlyList<VersionCard> cards)
    {
        html.Append(Both("h2", group.En, group.Zh)).Append("<div class=scroll><table><col class=label><tr><th>");
        foreach (var card in cards)
            html.Append(CultureInfo.InvariantCulture, $"<th>{Text(card.Name)}");
        foreach (var metric in ComparisonMetric.All.Where(m => m.Group == group.Group))
        {
            html.Append(CultureInfo.InvariantCulture, $"<tr><th>{Both("span", metric.Label, metric.LabelZh)} <i title='{(metric.HigherIsBetter ? "higher is better" : "lower is better")}'>{Arrow(metric)}</i>");
            for (var i = 0; i < cards.Count; i++)
            {
                html.Append(Find(report, metric, cards[i]) is { N: > 0 } row
                    ? string.Create(CultureInfo.InvariantCulture, $"<td title='{Text(row.Method)}'><b>{Percent(row.Value)}</b> <small>{row.Low * 100:F1}–{row.High * 100:F1}, n {row.N}{(row.Chance is { } chance ? $", chance {Percent(chance, 0)}" : "")}</small>{SvgPlot.Bar(row.Value, row.Low, row.High, i % 5)}")
                    : "<td>—");
            }
        }
        html.Append("</table></div>");
    }

    private static void WinRate(StringBuilder html, Report report)
    {
        if (report.Rows.FirstOrDefault(r => r.Metric == "winrate") is not { } row)
            return;
        html.Append(Both("h2", "Head to head where behaviour is judged", "行为对比胜率"));
        html.Append(CultureInfo.InvariantCulture, $"<p><b>{Text(row.Group)}: {Percent(row.Value)}</b> <small>{row.Low * 100:F1}–{row.High * 100:F1}, n {row.N}, {Text(row.Method)}</small></p>");
        html.Append(SvgPlot.Intervals([.. Behaviours.SelectMany(b => report.Rows.Where(r => r.Metric == $"winrate.{b.Kind}")
            .Select(r => (b.En, b.Zh, (IReadOnlyList<(double, double, double)?>)[(r.Value, r.Low, r.High)])))]));
    }

    private static void Differences(StringBuilder html, Report report)
    {
        var rows = report.Rows.Where(r => r.Metric.EndsWith(".difference", StringComparison.Ordinal)).ToList();
        if (rows.Count == 0)
            return;
        html.Append(Both("h2", "What the last step cost on tasks, paired", "最后一步对任务的影响（配对差）"));
        html.Append(CultureInfo.InvariantCulture, $"<div class=scroll><table><col class=label><tr><th><th>{Text(rows[0].Group)}");
        foreach (var row in rows)
        {
            var metric = ComparisonMetric.All.First(m => row.Metric.StartsWith(m.Key, StringComparison.Ordinal) && row.Metric.Length == m.Key.Length + ".difference".Length);
            html.Append(CultureInfo.InvariantCulture, $"<tr><th>{Both("span", metric.Label, metric.LabelZh)} <i>{Arrow(metric)}</i><td><b>{row.Value * 100:+0.0;−0.0;0.0}</b> <small>{row.Low * 100:F1} … {row.High * 100:F1}, n {row.N}</small>");
        }
        html.Append("</table></div>");
    }

    private static void Data(StringBuilder html, IReadOnlyList<VersionCard> cards)
    {
        string[] kinds = [.. cards.SelectMany(c => c.Stages).SelectMany(s => s.Data).Select(d => d.Kind).Distinct(StringComparer.Ordinal)];
        html.Append(Both("h2", "What each stage was trained on", "各阶段的训练数据")).Append(Both("p class=note", "Share of the tokens in the loss.", "按计入损失的词元。"));
        foreach (var (card, stage) in cards.SelectMany(card => card.Stages.Select(stage => (card, stage))).Where(x => x.stage.Data.Count > 0))
        {
            html.Append(CultureInfo.InvariantCulture, $"<p class=stage>{Text(card.Name)}, {Text(stage.Stage)}</p>{SvgPlot.Shares(stage.Data, kinds)}<p class=kinds>");
            foreach (var share in stage.Data)
                html.Append(CultureInfo.InvariantCulture, $"<span style='--c:var(--k{Array.IndexOf(kinds, share.Kind) % HtmlStyle.KindColours})'>{Text(share.Kind)} {Percent(share.Share)}</span>");
            html.Append("</p>");
        }
        foreach (var (card, before, only) in VersionCard.OnlyTrainedOn(cards))
            html.Append(Both("p", $"{card.Name} was trained on {string.Join(", ", only)}; {before.Name} was not. A lead there was taught by that data, not won by the method.", $"{card.Name} 训练过 {string.Join("、", only)}，{before.Name} 没有：在这些方面的领先来自数据，而不是方法。"));
    }

    private static void Foot(StringBuilder html, Report report)
    {
        html.Append(CultureInfo.InvariantCulture, $"<footer><p><code>{Text(report.Command)}</code></p><p>{Text(string.Join(" · ", report.Environment.Select(e => $"{e.Key}: {e.Value}")))}</p></footer>");
    }

    private static ReportRow? Find(Report report, ComparisonMetric metric, VersionCard card) => report.Rows.FirstOrDefault(r => r.Metric == metric.Key && r.Group == card.Name);

    private static string Arrow(ComparisonMetric metric) => metric.HigherIsBetter ? "↑" : "↓";

    private static string Percent(double share, int digits = 1) => (share * 100).ToString(digits == 0 ? "F0" : "F1", CultureInfo.InvariantCulture) + "%";

    /// <summary>A page up to its first heading: style, and the button that changes the language.</summary>
    internal static string Open(string title, string language) => string.Create(CultureInfo.InvariantCulture,
        $"<!doctype html><html lang={(language == "zh" ? "zh" : "en")} class={(language == "zh" ? "zh" : "en")}><meta charset=utf-8><meta name=viewport content='width=device-width'><title>Attune: {Text(title)}</title><style>{HtmlStyle.Css}</style><main><button onclick=\"document.documentElement.className=document.documentElement.className=='zh'?'en':'zh'\">English / 中文</button>");

    /// <summary>An element in both languages, of which one is shown.</summary>
    internal static string Both(string tag, string en, string zh) => $"<{tag}><span class=en>{Text(en)}</span><span class=zh>{Text(zh)}</span></{tag.Split(' ')[0]}>";

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
