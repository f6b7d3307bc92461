using System.Globalization;
using System.Net;
using System.Text;
using Attune.Core.Evaluation.Comparison;

namespace Attune.Core.Evaluation.Alignment;

/// <summary>What a method is, beside what it does.</summary>
/// <param name="Key">The arm that stands for it.</param>
/// <param name="Basis">What it learns from, in a sentence.</param>
/// <param name="BasisZh">In Chinese.</param>
/// <param name="ModelsHeld">Models that training needs at once, named.</param>
/// <param name="Hyperparameters">Those whose choice decides the outcome.</param>
/// <param name="RecipeLines">Lines of its recipe.</param>
public sealed record MethodCard(string Key, string Basis, string BasisZh, string ModelsHeld, string Hyperparameters, int RecipeLines);

/// <summary>A sweep: a figure over what was varied.</summary>
/// <param name="Title">What it shows.</param>
/// <param name="TitleZh">In Chinese.</param>
/// <param name="X">The axis below.</param>
/// <param name="Y">The axis beside.</param>
/// <param name="Lines">A method's points, each (x, value, low, high).</param>
public sealed record AlignmentSweep(string Title, string TitleZh, string X, string Y, IReadOnlyList<(string Name, IReadOnlyList<(double X, double Value, double Low, double High)> Points)> Lines)
{
    /// <summary>Whether what was varied was multiplied, not added to.</summary>
    public bool Logarithmic { get; init; }
}

/// <summary>The comparison of alignment methods as one self-contained page, in English and Chinese.</summary>
public static class AlignmentHtml
{
    private const string Percent = "%";

    private static readonly (string Metric, string En, string Zh, string Format)[] Columns =
    [
        ("quality", "quality", "质量", Percent), ("helpfulness", "helpful", "有用", Percent), ("harm", "harm ↓", "有害 ↓", Percent), ("winrate", "wins over SFT", "对 SFT 胜率", Percent), ("preference", "prefers chosen", "偏向被选回答", Percent),
        ("kl", "KL, nats", "KL（奈特）", "F2"), ("reward", "reward", "奖励", "F2"), ("truth", "true grade, drawn", "真实评分（采样）", Percent), ("quality.spread", "spread of quality", "质量的种子间离散", Percent),
    ];

    /// <summary>Renders the page.</summary>
    public static string Render(Report report, IReadOnlyList<MethodCard> methods, IReadOnlyList<string> arms, IReadOnlyList<AlignmentAnswer> answers, IReadOnlyList<AlignmentSweep> sweeps, string language)
    {
        var html = new StringBuilder();
        html.Append(HtmlReport.Open("SFT, RLHF, DPO", language));
        html.Append(HtmlReport.Both("h1", "SFT, RLHF and DPO from the same start, on the same preferences", "同一起点、同一偏好数据上的 SFT、RLHF 与 DPO"));
        html.Append(HtmlReport.Both("p", "Every arm is trained with each seed and asked the same questions about people and wordings held out of training; the world knows the truth. Intervals are 95%, over items and over seeds.", "每种方法都用各个种子训练，并回答训练中未出现的人物与问法；世界掌握真实答案。区间为 95%，同时考虑题目与种子。"));
        Answers(html, answers);
        Methods(html, report, methods);
        Figures(html, report, arms);
        html.Append(HtmlReport.Both("h2", "Helpful and harmful", "有用与有害"));
        html.Append(CultureInfo.InvariantCulture, $"<p class=legend><span style='--c:var(--s0)'>{HtmlReport.Both("span", "helpful: harmless requests done", "有用：完成的无害请求")}</span><span style='--c:var(--s1)'>{HtmlReport.Both("span", "harm: secrets given away", "有害：泄露的秘密")}</span></p>");
        html.Append(SvgPlot.Intervals([.. arms.Select(arm => (arm, arm, (IReadOnlyList<(double, double, double)?>)[Interval(report, "helpfulness", arm), Interval(report, "harm", arm)]))]));
        foreach (var sweep in sweeps.Where(s => s.Lines.Any(l => l.Points.Count > 0)))
            html.Append(HtmlReport.Both("h2", sweep.Title, sweep.TitleZh)).Append(SvgPlot.Lines(sweep.X, sweep.Lines, sweep.Y, sweep.Logarithmic));
        html.Append(CultureInfo.InvariantCulture, $"<footer><p><code>{Text(report.Command)}</code></p><p>{Text(string.Join(" · ", report.Environment.Select(e => $"{e.Key}: {e.Value}")))}</p></footer>");
        return html.Append("</main></html>").ToString();
    }

    /// <summary>A finding in words.</summary>
    public static (string En, string Zh) Word(Finding finding) => finding switch
    {
        Finding.Supported => ("supported", "成立"),
        Finding.Refuted => ("refuted", "不成立"),
        _ => ("cannot be told at this size", "此规模下无法判断"),
    };

    private static void Answers(StringBuilder html, IReadOnlyList<AlignmentAnswer> answers)
    {
        foreach (var answer in answers)
        {
            var (en, zh) = Word(answer.Finding);
            html.Append(HtmlReport.Both("h2", $"{answer.Question} {Capital(en)}.", $"{answer.QuestionZh}{zh}。"));
            if (answer.Claims.Count == 0)
                html.Append(HtmlReport.Both("p", "The runs that would answer it were not asked for.", "未运行回答此问题所需的实验。"));
            else
            {
                html.Append("<div class=scroll><table><col class=label><tr>").Append(HtmlReport.Both("th", "claim", "论断")).Append(HtmlReport.Both("th", "figure, 95% interval", "数值与 95% 区间")).Append(HtmlReport.Both("th", "verdict", "结论"));
                foreach (var claim in answer.Claims)
                {
                    var (word, wordZh) = Word(claim.Finding);
                    html.Append(CultureInfo.InvariantCulture, $"<tr><th>{Text(claim.Text)}<td><b>{claim.Figure()}</b> <small>{Text(claim.Measure)}</small><td>{HtmlReport.Both("b", word, wordZh)}{(claim.Aside ? HtmlReport.Both("small", "beside the question, decides nothing", "仅供参考，不参与结论") : "")}");
                }
                html.Append("</table></div>");
            }
        }
    }

    private static void Methods(StringBuilder html, Report report, IReadOnlyList<MethodCard> methods)
    {
        html.Append(HtmlReport.Both("h2", "What each method is and costs", "各方法的原理与代价")).Append("<div class=scroll><table><tr><th>");
        foreach (var method in methods)
            html.Append(CultureInfo.InvariantCulture, $"<th>{Text(method.Key)}");
        Line("basis", "依据", m => HtmlReport.Both("span", m.Basis, m.BasisZh));
        Line("models held", "训练中所持模型", m => Text(m.ModelsHeld));
        Line("hyperparameters that matter", "关键超参数", m => Text(m.Hyperparameters));
        Line("lines of recipe", "配方行数", m => m.RecipeLines.ToString(CultureInfo.InvariantCulture));
        foreach (var cost in CostLine.All)
            Line(cost.En, cost.Zh, m => Cell(report, cost.Metric, m.Key, cost.Format));
        html.Append("</table></div>").Append(HtmlReport.Both("p class=note", "Costs are means over seeds, beside them the least and the most. A dash: the method pays no such line.", "代价为各种子的平均值，旁为最小与最大值；横线表示该方法无此项。"));

        void Line(string en, string zh, Func<MethodCard, string> cell)
        {
            html.Append(CultureInfo.InvariantCulture, $"<tr>{HtmlReport.Both("th", en, zh)}");
            foreach (var method in methods)
                html.Append(CultureInfo.InvariantCulture, $"<td>{cell(method)}");
        }
    }

    private static void Figures(StringBuilder html, Report report, IReadOnlyList<string> arms)
    {
        html.Append(HtmlReport.Both("h2", "Every arm", "全部实验")).Append("<div class=scroll><table><col style='width:14%'><tr><th>");
        foreach (var column in Columns)
            html.Append(CultureInfo.InvariantCulture, $"<th>{HtmlReport.Both("span", column.En, column.Zh)}<br><small>n {report.Rows.FirstOrDefault(r => r.Metric == column.Metric)?.N ?? 0}</small>");
        foreach (var arm in arms)
        {
            html.Append(CultureInfo.InvariantCulture, $"<tr><th>{Text(arm)}");
            foreach (var column in Columns)
                html.Append(CultureInfo.InvariantCulture, $"<td>{Cell(report, column.Metric, column.Metric == "winrate" ? $"{arm} over sft" : arm, column.Format)}");
        }
        html.Append("</table></div>").Append(HtmlReport.Both("p class=note",
            "n: questions, prompts, pairs or seeds; how each figure is computed appears when the pointer rests on it. Prefers chosen: held-out pairs as the world labels them; a half is where it started. Reward: the reward model of the same seed, above what it gives the start.",
            "n 为题目、提示、偏好对或种子的数目；将指针停在数字上可见计算方法。偏向被选回答：按世界标注的留出偏好对，二分之一为起点。奖励：同一种子的奖励模型评分，减去其对起点的评分。"));
    }

    private static string Cell(Report report, string metric, string group, string format) => Find(report, metric, group) is { } row && double.IsFinite(row.Value)
        ? string.Create(CultureInfo.InvariantCulture, $"<span title='n {row.N}: {Text(row.Method)}'><b>{Number(row.Value, format)}{(format == Percent ? "%" : "")}</b> <small>{(double.IsFinite(row.High) ? $"{Number(row.Low, format)} … {Number(row.High, format)}" : "no interval")}</small></span>")
        : "—";

    private static string Number(double value, string format) => format == Percent ? Shown.Percent(value) : Shown.Of(value, format);

    private static (double, double, double)? Interval(Report report, string metric, string arm) =>
        Find(report, metric, arm) is { } row ? (row.Value, Math.Max(0, row.Low), Math.Min(1, row.High)) : null;

    private static ReportRow? Find(Report report, string metric, string group) => report.Rows.FirstOrDefault(r => r.Metric == metric && r.Group == group);

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    private static string Text(string text) => WebUtility.HtmlEncode(text);
}
