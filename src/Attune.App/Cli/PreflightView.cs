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
        console.Line($"  [bold]{preflight.Stage}[/]: {rows.Rows:N0} rows, {rows.Tokens:N0} tokens, {rows.TrainedTokens:N0} of them in the loss ({Share(rows.TrainedTokens, rows.Tokens)}); {Steps(preflight.Steps)}; {Cost(preflight.Estimate)}");
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
        // Where there is no colour, brackets say the same.
        var colour = console.Profile.Capabilities.ColorSystem != ColorSystem.NoColors;
        var (open, close) = colour ? ("[black on green]", "[/]") : ("⟦", "⟧");
        console.Line($"\n  [grey]{sample.Origin}[/]{(sample.Label is { } label ? $" ({label})" : "")}");
        console.MarkupLine($"  {open}learnt{close} [grey]only read[/]");
        var markup = new StringBuilder("  ");
        for (var at = 0; at < sample.Tokens.Count;)
        {
            var (trained, text) = (sample.Tokens[at].Trained, new StringBuilder());
            for (; at < sample.Tokens.Count && sample.Tokens[at].Trained == trained; at++)
                text.Append(sample.Tokens[at].Text);
            var shown = Markup.Escape(text.ToString().Replace("\n", "⏎\n  ", StringComparison.Ordinal));
            markup.Append(trained ? $"{open}{shown}{close}" : $"[grey]{shown}[/]");
        }
        console.MarkupLine(markup.ToString().TrimEnd());
    }

    private static string Cost(CostEstimate estimate)
    {
        var memory = string.Create(CultureInfo.InvariantCulture, $"about {estimate.TotalBytes / 1e6:N0} MB");
        var trial = estimate.TrialBytes is { } held ? string.Create(CultureInfo.InvariantCulture, $" (a trial took {held / 1e6:N0})") : "";
        var time = estimate.Seconds is { } seconds ? $", {Time(seconds)}" : "";
        var answers = estimate.AnswerSeconds is { } drawing ? $" ({Time(drawing)} of it for drawing and scoring answers)" : "";
        return $"{memory}{trial}{time}{answers}";
    }

    private static string Time(double seconds) => TimeSpan.FromSeconds(Math.Round(seconds)).ToString("g", CultureInfo.InvariantCulture);

    private static string Steps(long steps) => string.Create(CultureInfo.InvariantCulture, $"{steps:N0} {(steps == 1 ? "step" : "steps")}");

    private static string Share(long part, long whole) => whole == 0 ? "0%" : string.Create(CultureInfo.InvariantCulture, $"{100.0 * part / whole:F0}%");

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
