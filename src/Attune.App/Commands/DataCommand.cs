using System.CommandLine;
using System.ComponentModel;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.App.Cli;
using Attune.App.Recipes;
using Attune.App.Runs;
using Attune.Core.Data;
using Attune.Core.Options;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Core.Worlds;
using Spectre.Console;

namespace Attune.App.Commands;

/// <summary><c>attune data inspect | world</c>: looks into data files; writes the synthetic world as ordinary JSONL.</summary>
internal static class DataCommand
{
    internal sealed record InspectPlace
    {
        [Description("A version or folder whose tokenizer counts tokens.")]
        public string? Tokenizer { get; init; }

        [Description("Folder of the versions.")]
        public string Store { get; init; } = Place.DefaultStore;

        [Description("Print JSON.")]
        public bool Json { get; init; }
    }

    internal sealed record WorldPlace
    {
        [Description("The folder to write.")]
        public required string Folder { get; init; }
    }

    public static Command Create() => new("data", "Look into data files, or write the synthetic world.")
    {
        Verb.Create<InspectPlace, InspectOptions>("inspect", "Format, faults, lengths, languages, duplicates, and overlap with test files.", Inspect, nameof(InspectOptions.Data)),
        Verb.Create<WorldPlace, WorldOptions>("world", "Write the synthetic world: training files and question sets.", MakeWorld, nameof(WorldPlace.Folder)),
    };

    private static Task<int> Inspect(InspectPlace place, InspectOptions options, CancellationToken cancel)
    {
        var encoder = place.Tokenizer is { } name ? Tokenizer.Load(Running.Open(place.Store, name).Files.Require(ModelFiles.Tokenizer)) : null;
        var report = DataInspector.Inspect(options, encoder, cancel);
        if (place.Json)
        {
            Terminal.WriteJson(JsonSerializer.SerializeToNode(report, new JsonSerializerOptions { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower })!);
            return Task.FromResult(ExitCode.Done);
        }
        foreach (var file in report.Files)
            Print(file, "");
        foreach (var file in report.TestFiles)
            Print(file, " (test)");
        Print("exact duplicates", report.Exact);
        Print("near duplicates", report.Near);
        if (report.Overlap is { } overlap)
            Print(overlap);
        return Task.FromResult(ExitCode.Done);
    }

    private static void Print(FileReport file, string remark)
    {
        var console = Terminal.Out;
        console.Line($"[bold]{file.File}[/]{remark}");
        console.Line($"  format      {Name(file.Format.Kind)}: {file.Format.Evidence}");
        console.Line($"  for         {DataReader.UseOf(file.Format.Kind)}");
        console.Line($"  rows        {file.Rows:N0} usable");
        foreach (var fault in file.Faults)
            console.Line($"  [yellow]at fault[/]    {fault.Rows:N0} × {fault.Reason} (first: {fault.First})");
        foreach (var fault in file.Contradictions)
            console.Line($"  [yellow]note[/]        {fault.Rows:N0} × {fault.Reason} (first: {fault.First})");
        if (file.Preferences is { } preferences)
            console.Line($"  preferences {Describe(preferences)}");
        if (file.Characters is { } characters)
            console.Line($"  characters  {Lengths(characters)}");
        if (file.Tokens is { } tokens)
            console.Line($"  tokens      {Lengths(tokens)}");
        foreach (var (title, counts) in new[] { ("roles", file.Roles), ("languages", file.Languages), ("kinds", file.Kinds) })
        {
            if (counts.Count > 0)
                console.Line($"  {title,-11} {string.Join(", ", counts.OrderByDescending(c => c.Value).Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Key} {c.Value:N0}")))}");
        }
    }

    private static void Print(string title, DuplicateReport duplicates)
    {
        Terminal.Out.Line($"[bold]{title}[/]: {duplicates.ExtraRows:N0} rows in {duplicates.Groups:N0} groups");
        foreach (var example in duplicates.Examples)
            Terminal.Out.Line($"  {example.Second} = {example.First} ({example.Similarity:P0})  {example.Excerpt}");
    }

    private static void Print(OverlapReport overlap)
    {
        Terminal.Out.Line($"[bold]overlap[/]: {overlap.Touched:N0} of {overlap.TestRows:N0} test rows share words with the data, {overlap.HalfCovered:N0} at least half of theirs");
        foreach (var example in overlap.Examples)
            Terminal.Out.Line($"  {example.Test} in {example.Train} ({example.Share:P0})  {example.Words}");
    }

    private static string Name(FormatKind kind) => kind switch
    {
        FormatKind.Text => "plain text",
        FormatKind.JsonText => "text in JSON",
        FormatKind.ShareGpt => "sharegpt",
        FormatKind.Messages => "OpenAI messages",
        FormatKind.PromptCompletion => "prompt and completion",
        FormatKind.Preference => "preference pairs",
        FormatKind.Kto => "KTO labels",
        FormatKind.Ranking => "rankings",
        FormatKind.Annotations => "annotations",
        FormatKind.Scored => "scored answers",
        FormatKind.Prompts => "prompts",
        _ => OptionText.Of(kind),
    };

    private static string Describe(PreferenceFacts facts)
    {
        (int Count, string What)[] parts =
        [
            (facts.Rankings, "rankings"), (facts.Tied, "of them all tied"), (facts.Pairs, "pairs"), (facts.WithMargin, "of them with a margin"),
            (facts.Scored, "scored answers"), (facts.Desirable, "desirable"), (facts.Undesirable, "undesirable"), (facts.Prompts, "different prompts"),
        ];
        return string.Join(", ", parts.Where(p => p.Count > 0).Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Count:N0} {p.What}")));
    }

    private static string Lengths(LengthStats lengths) => string.Create(CultureInfo.InvariantCulture,
        $"{lengths.Total:N0} in all; least {lengths.Least:N0}, median {lengths.Median:N0}, 90% {lengths.P90:N0}, 99% {lengths.P99:N0}, most {lengths.Most:N0}");

    private static Task<int> MakeWorld(WorldPlace place, WorldOptions options, CancellationToken cancel)
    {
        options.Validate();
        foreach (var file in WorldFolder.Write(options, place.Folder, cancel))
            Terminal.Out.Line($"{Path.GetRelativePath(place.Folder, file.Path),-32} {file.Rows,9:N0} rows  {string.Join(", ", file.Kinds.OrderByDescending(k => k.Value).Take(6).Select(k => k.Key))}");
        return Task.FromResult(ExitCode.Done);
    }
}
