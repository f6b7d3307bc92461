using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Attune.App.Cli;

/// <summary>Where a command prints: tables for people, JSON for scripts (<c>--json</c>).</summary>
internal static class Terminal
{
    private static readonly JsonSerializerOptions Pretty = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Standard output, with colour where it is a terminal. Piped output is as wide as its text needs.</summary>
    public static IAnsiConsole Out { get; } = Create(Console.Out, Console.IsOutputRedirected);

    /// <summary>Standard error: progress and remarks, so that standard output stays data.</summary>
    public static IAnsiConsole Error { get; } = Create(Console.Error, Console.IsErrorRedirected);

    /// <summary>Whether a live display can be drawn over itself.</summary>
    public static bool IsLive => !Console.IsErrorRedirected && Environment.GetEnvironmentVariable("CI") != "true";

    /// <summary>Prints a JSON document to standard output.</summary>
    public static void WriteJson(JsonNode node) => Console.Out.WriteLine(node.ToJsonString(Pretty));

    /// <summary>A table with a header row, ruled lightly.</summary>
    public static Table TableOf(params string[] headers)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var header in headers)
            table.AddColumn(new TableColumn($"[bold]{Markup.Escape(header)}[/]"));
        return table;
    }

    /// <summary>Adds a row of plain text.</summary>
    public static void AddPlainRow(this Table table, params IEnumerable<string> cells) =>
        table.AddRow([.. cells.Select(cell => new Text(cell))]);

    /// <summary>A line of markup whose holes are escaped, numbers written the same everywhere.</summary>
    public static void Line(this IAnsiConsole console, FormattableString line) =>
        console.MarkupLineInterpolated(CultureInfo.InvariantCulture, line);

    private static IAnsiConsole Create(TextWriter writer, bool redirected)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) });
        if (redirected)
            console.Profile.Width = 200;
        return console;
    }
}
