using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.App.Cli;
using Attune.App.Recipes;
using Attune.Core.Checkpoints;
using Attune.Core.Evaluation;
using Attune.Core.Evaluation.Comparison;
using Attune.Core.Options;
using Attune.Core.Versions;
using Attune.Core.Worlds;
using Attune.Prompts;
using Spectre.Console;

namespace Attune.App.Runs;

/// <summary>
/// Asks every version the same questions of a world, judges the answers, and writes the report: report.json,
/// report.html, and the answers themselves, so that every figure can be looked behind.
/// </summary>
internal sealed class Comparison(ComparisonOptions options)
{
    private readonly string _split = OptionText.Of(options.Split);

    private sealed record Subject(string Name, ModelFiles Files, ModelVersion? Version);

    /// <summary>Runs it and prints the table (or, with --json, the report).</summary>
    public Report Run(CancellationToken cancel)
    {
        var worldOptions = WorldFolder.Read(options.World);
        var judge = new WorldJudge(World.Create(worldOptions).Language);
        var book = new AnswerBook(options.World, options.Split, options.Items, options.MaxTokens, options.Out)
        {
            Contract = options.Contract,
            AllowContractMismatch = options.AllowContractMismatch,
        };
        var sets = book.Questions(AskedSets());
        var subjects = options.Versions.Select(name => Running.Open(options.Store, name) is var (files, version) ? new Subject(name, files, version) : null!).ToList();

        var judged = subjects.Select(subject => book.Ask(subject.Name, subject.Files, subject.Version, sets, judge, cancel)).ToList();
        var rows = VersionComparison.Measure(judged, judge, worldOptions.Seed);
        var store = subjects.Any(s => s.Version is not null) ? Running.OpenStore(options.Store) : null;
        VersionCard[] cards = [.. VersionCards.Of(store, [.. subjects.Select(s => (s.Name, s.Version))]).Zip(subjects, (card, s) => card with { Prompt = options.Contract ?? PromptName.Of(s.Files) })];
        var report = new Report
        {
            Kind = "comparison",
            Subjects = subjects.ToDictionary(s => s.Name, s => s.Version?.Digest ?? s.Files.Description, StringComparer.Ordinal),
            Command = $"attune compare {string.Join(' ', options.Versions)} --world {options.World} --split {_split} --items {options.Items.ToString(CultureInfo.InvariantCulture)}",
            Options = OptionsBinder.ToJson(options),
            Environment = MachineFacts.Of(store, subjects.Select(s => s.Version)),
            Rows = rows,
            Details = Details(cards),
        };
        Write(report, cards, worldOptions.Language);
        if (options.Json)
            Terminal.WriteJson(report.ToJson());
        else
        {
            ComparisonTable.Print(report, cards);
            Terminal.Out.Line($"The report: {ReportPath(".html")} (and .json).");
        }
        return report;
    }

    private IReadOnlyList<string> AskedSets()
    {
        foreach (var set in options.Sets.Except(ComparisonMetric.AllSets, StringComparer.Ordinal))
            throw WorldException.UnknownSet(set);
        return options.Sets.Count == 0 ? ComparisonMetric.AllSets : options.Sets;
    }

    private static readonly JsonSerializerOptions Readable = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private void Write(Report report, IReadOnlyList<VersionCard> cards, string language)
    {
        Directory.CreateDirectory(options.Out);
        Atomic.WriteAllText(ReportPath(".json"), report.ToJson().ToJsonString(new(Readable) { WriteIndented = true }));
        Atomic.WriteAllText(ReportPath(".html"), HtmlReport.Render(report, cards, LossCurves.Under(options.Out), language));
    }

    private string ReportPath(string extension) => Path.Combine(options.Out, options.ReportName + extension);

    private static JsonObject Details(IReadOnlyList<VersionCard> cards) => new()
    {
        ["versions"] = new JsonArray([.. cards.Select(card => (JsonNode)new JsonObject
        {
            ["name"] = card.Name,
            ["kind"] = card.Kind,
            ["digest"] = card.Digest,
            ["objective"] = card.Objective,
            ["prompt"] = card.Prompt,
            ["stages"] = new JsonArray([.. card.Stages.Select(stage => (JsonNode)new JsonObject
            {
                ["stage"] = stage.Stage,
                ["steps"] = stage.Steps,
                ["tokens"] = stage.Tokens,
                ["seconds"] = stage.Seconds,
                ["peak_memory_bytes"] = stage.PeakMemoryBytes,
                ["share_of_ceiling"] = stage.ShareOfCeiling,
                ["data"] = new JsonArray([.. stage.Data.Select(d => (JsonNode)new JsonObject { ["kind"] = d.Kind, ["share"] = d.Share })]),
            })]),
        })]),
    };
}
