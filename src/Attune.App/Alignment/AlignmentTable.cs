using System.Globalization;
using Attune.App.Cli;
using Attune.Core.Evaluation;
using Attune.Core.Evaluation.Alignment;
using Spectre.Console;

namespace Attune.App.Alignment;

/// <summary>The comparison of methods on a terminal.</summary>
internal static class AlignmentTable
{
    /// <summary>The arms that would be trained.</summary>
    public static void PrintPlan(IReadOnlyList<AlignmentArm> plan)
    {
        var table = Terminal.TableOf("part", "arm", "from", "seeds", "stages");
        foreach (var arm in plan)
            table.AddPlainRow(arm.Group, arm.Key, arm.FromBase ? "base" : "instruct", string.Join(' ', arm.Seeds), string.Join(", then ", arm.Stages.Select(Describe)));
        Terminal.Out.Write(table);
        Terminal.Out.Line($"{plan.Sum(a => a.Versions)} versions to train.");
    }

    /// <summary>What came out.</summary>
    public static void Print(Report report, IReadOnlyList<MethodCard> methods, IReadOnlyList<string> arms, IReadOnlyList<AlignmentAnswer> answers, string page)
    {
        var about = Terminal.TableOf(["", .. methods.Select(m => m.Key)]);
        about.AddPlainRow(["learns", .. methods.Select(m => m.Basis)]);
        about.AddPlainRow(["models held", .. methods.Select(m => m.ModelsHeld)]);
        about.AddPlainRow(["hyperparameters that matter", .. methods.Select(m => m.Hyperparameters)]);
        about.AddPlainRow(["lines of recipe", .. methods.Select(m => m.RecipeLines.ToString(CultureInfo.InvariantCulture))]);
        foreach (var line in CostLine.All)
            about.AddPlainRow([line.En, .. methods.Select(m => Number(report, line.Metric, m.Key, line.Format))]);
        Terminal.Out.Write(about);

        var table = Terminal.TableOf("arm", "quality %", "helpful %", "harm ↓ %", "wins over SFT %", "prefers chosen %", "KL, nats", "reward", "truth %", "spread %");
        foreach (var arm in arms)
            table.AddPlainRow(arm, Share(report, "quality", arm), Share(report, "helpfulness", arm), Share(report, "harm", arm), Share(report, "winrate", $"{arm} over sft"), Share(report, "preference", arm),
                Number(report, "kl", arm, "F2"), Number(report, "reward", arm, "F2"), Share(report, "truth", arm), Find(report, "quality.spread", arm) is { } spread ? Shown.Of(spread.Value * 100, "F2") : "—");
        Terminal.Out.Write(table);

        foreach (var answer in answers)
        {
            Terminal.Out.Line($"[bold]{answer.Question}[/] {AlignmentHtml.Word(answer.Finding).En}");
            foreach (var claim in answer.Claims)
                Terminal.Out.Line($"  {claim.Text}: {AlignmentHtml.Word(claim.Finding).En} ({claim.Measure}: {claim.Figure()})");
        }
        Terminal.Out.Line($"The page: {page}");
    }

    private static string Describe(ArmStage stage) => $"{stage.Stage} ({string.Join(", ", stage.Options.Select(o => $"{o.Key} {(AlignmentData.IsFile(o.Key) ? Files(o.Value) : Convert.ToString(o.Value, CultureInfo.InvariantCulture))}"))})";

    private static string Files(object? value) => AlignmentData.Files(value).ToArray() is [var file] ? Path.GetFileName(file) : string.Create(CultureInfo.InvariantCulture, $"{AlignmentData.Files(value).Count()} files");

    private static string Share(Report report, string metric, string group) => Find(report, metric, group) is { } row
        ? $"{Shown.Percent(row.Value)} ({Shown.Percent(row.Low)}–{Shown.Percent(row.High)})"
        : "—";

    private static string Number(Report report, string metric, string group, string format) => Find(report, metric, group) is { } row && double.IsFinite(row.Value)
        ? Shown.Of(row.Value, format)
        : "—";

    private static ReportRow? Find(Report report, string metric, string group) => report.Rows.FirstOrDefault(r => r.Metric == metric && r.Group == group);
}
