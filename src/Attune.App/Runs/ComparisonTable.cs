using System.Globalization;
using Attune.App.Cli;
using Attune.Core.Evaluation;
using Attune.Core.Evaluation.Comparison;
using Spectre.Console;

namespace Attune.App.Runs;

/// <summary>The comparison on a terminal: what each version is, then what it is good and bad at.</summary>
internal static class ComparisonTable
{
    public static void Print(Report report, IReadOnlyList<VersionCard> cards)
    {
        var table = Terminal.TableOf(["", .. cards.Select(c => c.Name)]);
        Row(table, "objective", cards.Select(c => c.Objective));
        Row(table, "prompt", cards.Select(c => c.Prompt.Length > 0 ? c.Prompt : "plain text"));
        Row(table, "training", cards.Select(c => Join(c, s => string.Create(CultureInfo.InvariantCulture, $"{s.Stage}: {s.Steps:N0} steps"))));
        Row(table, "cost", cards.Select(c => Join(c, Cost)));
        Row(table, "data (share of the loss)", cards.Select(c => Join(c, Shares)));
        var asked = report.Rows.Select(r => r.Metric).ToHashSet(StringComparer.Ordinal);
        foreach (var group in ComparisonMetric.All.Where(m => asked.Contains(m.Key)).GroupBy(m => m.Group))
        {
            table.AddEmptyRow();
            foreach (var metric in group)
                Row(table, $"{metric.Label} {(metric.HigherIsBetter ? "↑" : "↓")}", cards.Select(c => Cell(report, metric.Key, c.Name)));
        }
        Terminal.Out.Write(table);

        foreach (var card in cards)
        {
            var (good, bad) = (Strengths.GoodAt(report, card.Name), Strengths.BadAt(report, card.Name));
            Terminal.Out.Line($"[bold]{card.Name}[/]");
            if (good.Count > 0)
                Terminal.Out.Line($"  [green]good at[/]  {InWords(good)}");
            if (bad.Count > 0)
                Terminal.Out.Line($"  [red]bad at[/]   {InWords(bad)}");
        }
        Terminal.Out.WriteLine();
        foreach (var row in report.Rows.Where(r => r.Metric == "winrate"))
            Terminal.Out.Line($"Win rate of {row.Group}: [bold]{row.Value:P1}[/] ({row.Low * 100:F1} to {row.High * 100:F1}, n {row.N}): {Kinds(report)}; {row.Method}.");
        foreach (var row in report.Rows.Where(r => r.Metric.EndsWith(".difference", StringComparison.Ordinal)))
            Terminal.Out.Line($"{row.Metric[..^".difference".Length]}, {row.Group}: {row.Value * 100:+0.0;-0.0;0.0} points ({row.Low * 100:F1} to {row.High * 100:F1}), paired.");
        foreach (var (card, before, only) in VersionCard.OnlyTrainedOn(cards))
            Terminal.Out.Line($"{card.Name} was trained on {string.Join(", ", only)}; {before.Name} was not: a lead there was taught by that data.");
    }

    private static string InWords(IReadOnlyList<Strength> strengths) =>
        string.Join("; ", strengths.Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Label} {s.Value * 100:F0}%")));

    private static void Row(Table table, string head, IEnumerable<string> cells) => table.AddPlainRow([head, .. cells]);

    private static string Kinds(Report report) => string.Join(", ", report.Rows.Where(r => r.Metric.StartsWith("winrate.", StringComparison.Ordinal))
        .Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Metric["winrate.".Length..]} {r.Value:P0}")));

    private static string Join(VersionCard card, Func<StageCard, string> line) => string.Join('\n', card.Stages.Select(line));

    private static string Cost(StageCard stage) => stage.Seconds is { } seconds
        ? string.Create(CultureInfo.InvariantCulture, $"{stage.Tokens / 1e6:F2} M tokens, {seconds:F0} s, {(stage.PeakMemoryBytes ?? 0) / 1e6:F0} MB")
        : string.Create(CultureInfo.InvariantCulture, $"{stage.Tokens / 1e6:F2} M tokens");

    private static string Shares(StageCard stage) =>
        $"{stage.Stage}: {string.Join(",\n  ", stage.Data.Select(d => string.Create(CultureInfo.InvariantCulture, $"{d.Kind} {d.Share * 100:F0}%")).Chunk(2).Select(line => string.Join(", ", line)))}";

    private static string Cell(Report report, string metric, string version) =>
        report.Rows.FirstOrDefault(r => r.Metric == metric && r.Group == version) is { N: > 0 } row
            ? string.Create(CultureInfo.InvariantCulture, $"{row.Value * 100:F1} ({row.Low * 100:F0}–{row.High * 100:F0}, n {row.N})")
            : "—";
}
