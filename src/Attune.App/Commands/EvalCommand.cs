using System.CommandLine;
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Attune.App.Cli;
using Attune.App.Runs;
using Attune.Core.Data;
using Attune.Core.Evaluation;
using Attune.Core.Options;
using Attune.Inference;
using Attune.Prompts;
using Spectre.Console;

namespace Attune.App.Commands;

/// <summary><c>attune eval VERSION… --data FILE</c>: how well versions predict text that they were not trained on.</summary>
internal static class EvalCommand
{
    internal sealed record EvalOptions
    {
        [Description("Versions (world:base) or model folders.")]
        public IReadOnlyList<string> Versions { get; init; } = [];

        [Description("Files of text or of conversations; of conversations only what the assistant says is scored.")]
        public IReadOnlyList<string> Data { get; init; } = [];

        [Description("Most rows of each file; 0 takes all."), Range(0, int.MaxValue)]
        public int Items { get; init; }

        [Description("Seed of the intervals.")]
        public long Seed { get; init; } = 1;

        [Description("Folder of the versions.")]
        public string Store { get; init; } = Place.DefaultStore;

        [Description("Print JSON.")]
        public bool Json { get; init; }
    }

    // Rows that are in memory together.
    private const int Together = 64;

    public static Command Create() => Verb.Create<EvalOptions>(
        "eval", "Loss, perplexity and bits per byte on held-out text or conversations.", RunAsync, nameof(EvalOptions.Versions));

    private static async Task<int> RunAsync(EvalOptions options, CancellationToken cancel)
    {
        if (options.Versions.Count == 0)
            throw Missing("versions", "Name a version or a folder: attune eval world:base --data FILE.");
        if (options.Data.Count == 0)
            throw Missing("data", "Name files that the version was not trained on: --data FILE.");
        var rows = new List<ReportRow>();
        var subjects = new Dictionary<string, string>(StringComparer.Ordinal);
        var (left, prompts) = (new JsonObject(), new JsonObject());
        foreach (var name in options.Versions)
        {
            var (files, version) = Running.Open(options.Store, name);
            subjects[name] = version?.Digest ?? files.Description;
            prompts[name] = PromptName.Of(files);
            using var model = LocalModel.Open(files);
            foreach (var path in options.Data)
            {
                var tally = new RowTally();
                var scored = await ScoreAsync(model, path, options.Items, tally, cancel);
                var group = options.Data.Count == 1 ? name : $"{name} on {Path.GetFileName(path)}";
                rows.AddRange(HeldOutLoss.Measure(scored, group, model.Config.VocabularySize, options.Seed));
                if (tally.DroppedRows > 0)
                    left[group] = tally.DescribeDropped();
            }
        }
        var details = new JsonObject { ["prompts"] = prompts };
        if (left.Count > 0)
            details["left_out"] = left;
        var report = new Report
        {
            Kind = "evaluation",
            Subjects = subjects,
            Command = $"attune eval {string.Join(' ', options.Versions)} --data {string.Join(' ', options.Data)}",
            Options = OptionsBinder.ToJson(options),
            Environment = MachineFacts.Of(null, []),
            Rows = rows,
            Details = details,
        };
        if (options.Json)
            Terminal.WriteJson(report.ToJson());
        else
            Print(report);
        return ExitCode.Done;
    }

    private static async Task<List<ScoredText>> ScoreAsync(LocalModel model, string path, int items, RowTally tally, CancellationToken cancel)
    {
        var rows = DataReader.Read(path, BadRows.Drop, tally);
        var scored = new List<ScoredText>();
        foreach (var part in (items > 0 ? rows.Take(items) : rows).Chunk(Together))
        {
            var windows = part.SelectMany((row, i) => Windows(model, row, tally).Select(window => (Row: i, Window: window))).Where(w => w.Window.Ids.Length > 1).ToArray();
            var scores = await model.ScoreIdsAsync([.. windows.Select(w => w.Window.Ids)], cancel);
            foreach (var row in windows.Select((w, i) => (w.Row, Score: Sum(model, w.Window, scores[i]))).GroupBy(w => w.Row))
                scored.Add(new(row.Sum(w => w.Score.Surprise), row.Sum(w => w.Score.Tokens), row.Sum(w => w.Score.Bytes)));
        }
        return scored;
    }

    /// <summary>A row as the model reads it, cut into windows; none where a conversation does not fit the window.</summary>
    private static IEnumerable<TokenRow> Windows(LocalModel model, DataRow row, RowTally tally) => row switch
    {
        TextRow text => TokenRows.Windows(TokenRows.OfText(text with { Opens = true, Closes = false }, model.Tokenizer, model.PrefixId), model.Config.ContextLength + 1),
        ConversationRow conversation => TrainingRows.OfConversations([conversation], ContractRender.ForTraining(model.Contract, model.Tokenizer), model.Config.ContextLength + 1, OverlongRows.Drop, tally),
        _ => throw new AttuneException("ATT3009", "The file holds pairs or labels, where text or conversations are needed.") { File = row.Origin.File, Line = row.Origin.Line, Hint = "attune eval scores text; attune compare judges answers." },
    };

    private static ScoredText Sum(LocalModel model, TokenRow window, double[] logProbabilities)
    {
        var ids = new List<int>();
        var surprise = 0.0;
        for (var i = 1; i < window.Ids.Length; i++)
        {
            if (!window.Trained[i])
                continue;
            ids.Add(window.Ids[i]);
            surprise -= logProbabilities[i - 1];
        }
        return new(surprise, ids.Count, Encoding.UTF8.GetByteCount(model.Tokenizer.Decode(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(ids), skipSpecialTokens: true)));
    }

    private static AttuneException Missing(string field, string hint) => new("ATT4004", "A required option is missing.") { Field = field, Hint = hint };

    private static void Print(Report report)
    {
        var table = Terminal.TableOf("", "metric", "value", "95% interval", "n", "guessing");
        foreach (var row in report.Rows)
        {
            table.AddPlainRow(row.Group, row.Metric, row.Value.ToString("F4", CultureInfo.InvariantCulture), string.Create(CultureInfo.InvariantCulture, $"{row.Low:F4} – {row.High:F4}"),
                row.N.ToString("N0", CultureInfo.InvariantCulture), row.Chance?.ToString("F2", CultureInfo.InvariantCulture) ?? "");
        }
        Terminal.Out.Write(table);
        foreach (var (name, prompt) in report.Details["prompts"]!.AsObject())
            Terminal.Out.Line($"{name} reads {((string?)prompt is { Length: > 0 } contract ? $"conversations by {contract}" : "plain text")}.");
        foreach (var (group, why) in report.Details["left_out"]?.AsObject() ?? [])
            Terminal.Error.Line($"[yellow]left out[/] {group}: {(string?)why}");
    }
}
