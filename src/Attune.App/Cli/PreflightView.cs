using System.Globalization;
using System.Text;
using Attune.Core.Data;
using Attune.Torch.Stages;
using Spectre.Console;

namespace Attune.App.Cli;

/// <summary>Thrown when only the preflight was asked for: it has been shown, and nothing was trained.</summary>
internal sealed class PreflightShown : OperationCanceledException;

/// <summary>
/// The look before the leap: rows by reason, kinds of data, cost, and a few rows in two colours (what is learnt, what
/// is only read). In full where it is all that was asked for; else in three lines.
/// </summary>
internal sealed class PreflightView(bool only) : IProgress<StagePreflight>
{
    public void Report(StagePreflight preflight)
    {
        var console = only ? Terminal.Out : Terminal.Error;
        var rows = preflight.Rows;
        console.Line($"  [bold]{preflight.Stage}[/]: {rows.Rows:N0} rows, {rows.Tokens:N0} tokens, {rows.TrainedTokens:N0} of them in the loss ({Share(rows.TrainedTokens, rows.Tokens)}); {preflight.Steps:N0} steps; {Cost(preflight.Estimate)}");
        if (rows.Tally.DescribeDropped() is { Length: > 0 } dropped)
            console.Line($"  [yellow]left out[/]: {dropped}");
        foreach (var warning in preflight.Warnings)
            console.Line($"  [yellow]note[/]: {warning}");
        if (!only)
            return;

        if (rows.Kinds.Count > 1)
        {
            var table = Terminal.TableOf("kind", "rows", "tokens", "share of the loss");
            foreach (var kind in rows.Kinds)
                table.AddPlainRow(kind.Kind, Number(kind.Rows), Number(kind.Tokens), Share(kind.TrainedTokens, rows.TrainedTokens));
            console.Write(table);
        }
        if (rows.Turns > 0)
            console.Line($"  {rows.EndedTurns:N0} of {rows.Turns:N0} assistant turns train their end of turn.");
        foreach (var sample in rows.Samples)
            Write(console, sample);
        throw new PreflightShown();
    }

    private static void Write(IAnsiConsole console, PreflightSample sample)
    {
        console.Line($"\n  [grey]{sample.Origin}[/]{(sample.Label is { } label ? $" ({label})" : "")} [black on green] learnt [/] [grey] only read [/]");
        var markup = new StringBuilder("  ");
        foreach (var token in sample.Tokens)
        {
            var text = Markup.Escape(token.Text.Replace("\n", "⏎\n  ", StringComparison.Ordinal));
            markup.Append(token.Trained ? $"[black on green]{text}[/]" : $"[grey]{text}[/]");
        }
        console.MarkupLine(markup.ToString());
    }

    private static string Cost(CostEstimate estimate)
    {
        var memory = string.Create(CultureInfo.InvariantCulture, $"about {estimate.TotalBytes / 1e6:N0} MB");
        return estimate.Seconds is { } seconds
            ? string.Create(CultureInfo.InvariantCulture, $"{memory}, {TimeSpan.FromSeconds(Math.Round(seconds)):g}")
            : memory;
    }

    private static string Share(long part, long whole) => whole == 0 ? "0%" : string.Create(CultureInfo.InvariantCulture, $"{100.0 * part / whole:F0}%");

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
