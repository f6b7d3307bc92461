using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Evaluation;
using Attune.Core.Evaluation.Statistics;
using Attune.Core.Versions;
using Attune.Core.Worlds;
using Attune.Inference;
using Attune.Prompts;

namespace Attune.Bench;

/// <summary>
/// <c>attune bench template-effect --stores FOLDER… [--versions world:instruct world:chat] [--items 200] [--out FOLDER]</c>: what a wrong
/// prompt template costs. Every version is asked the same questions under its own contract and under wrong ones, each of them given
/// through the override that is refused unless it is meant. One store is one seed; its world lies beside it, or is named by --worlds.
/// </summary>
internal static class TemplateEffect
{
    /// <summary>What is counted: a share of the answers to some question sets.</summary>
    internal sealed record Measure(string Key, string Label, string[] Sets, Func<WorldVerdict, Generation?, bool> Counts, bool HigherIsBetter = true);

    /// <summary>A way to speak to a version: null for its own contract.</summary>
    internal sealed record Way(string Key, string Label, Func<PromptContract, LocalModel, PromptContract>? Make);

    /// <summary>One version of one seed, asked in one way.</summary>
    internal sealed record Cell(string Version, string Way, int Store, long Seed, IReadOnlyDictionary<string, bool[]> Counts, string Example);

    internal static readonly Measure[] Measures =
    [
        new("reading", "reading, right", ["reading"], (v, _) => v.Passed),
        new("closed", "closed book, right", ["closed.top"], (v, _) => v.Passed),
        new("followup", "follow-up, right", ["followup"], (v, _) => v.Passed),
        new("format", "JSON as asked", ["json"], (v, _) => v.FormatValid == true),
        new("system", "rule of the system prompt held", ["system"], (v, _) => v.Passed),
        new("refusal.nores", "NO-RES where it is due", ["nores"], (v, _) => v.Passed),
        new("refusal.over", "refused though answerable", ["reading"], (v, _) => v.Outcome is AnswerOutcome.NoRes or AnswerOutcome.Declined, HigherIsBetter: false),
        new("stops", "ends by its stop token", ["reading", "closed.top", "followup", "json", "system", "nores"], (_, g) => g?.Finish == FinishReason.StopToken),
    ];

    internal static readonly Way[] Ways =
    [
        new("own", "its own contract", null),
        new("none", "no template: texts one after the other", (_, m) => BuiltInContracts.Base(m.Tokenizer)),
        new("llama3", "another family's: Llama 3", (_, m) => BuiltInContracts.Llama3(m.Tokenizer)),
        new("alpaca", "another family's: Alpaca", (_, m) => BuiltInContracts.Alpaca(m.Tokenizer)),
        new("no-generation-prompt", "generation prompt missing", (own, m) => Variant(own, m, "{%- set add_generation_prompt = false -%}" + own.Template.Source)),
        new("one-bos", "one BOS that training had not", (own, m) => Variant(own, m, Bos(m) + own.Template.Source)),
        new("two-bos", "double BOS", (own, m) => Variant(own, m, Bos(m) + Bos(m) + own.Template.Source)),
        new("no-end-of-turn", "end of turn missing in earlier turns", (own, m) => Variant(own, m, own.StopIds.Select(m.Tokenizer.TokenText).Aggregate(own.Template.Source, (t, stop) => t.Replace(stop, "", StringComparison.Ordinal)))),
        new("no-system", "system message left out", (own, m) => Variant(own, m, "{%- set messages = messages | rejectattr('role', 'equalto', 'system') | list -%}" + own.Template.Source)),
    ];

    public static int Run(string[] args)
    {
        var (stores, versions) = (Texts(args, "--stores"), Texts(args, "--versions"));
        var (items, most) = (int.Parse(Text(args, "--items", "200"), CultureInfo.InvariantCulture), int.Parse(Text(args, "--max-tokens", "48"), CultureInfo.InvariantCulture));
        if (stores.Count == 0)
        {
            Console.Error.WriteLine("template-effect: name the stores, one a seed: --stores runs/bench-quickstart-en/1/models …");
            return 2;
        }
        if (versions.Count == 0)
            versions = ["world:instruct", "world:chat"];
        var worlds = Texts(args, "--worlds") is { Count: > 0 } given ? given : [.. stores.Select(s => Path.Combine(Path.GetDirectoryName(Path.GetFullPath(s))!, "world"))];
        var folder = Text(args, "--out", Path.Combine("runs", "template-effect"));
        var (cells, subjects, clock) = (new List<Cell>(), new Dictionary<string, string>(StringComparer.Ordinal), Stopwatch.StartNew());
        for (var i = 0; i < stores.Count; i++)
        {
            var world = JsonNode.Parse(File.ReadAllText(Path.Combine(worlds[i], "world.json")))!;
            var judge = new WorldJudge(World.Create(new WorldOptions { Language = (string?)world["language"] ?? "en" }).Language);
            var sets = Measures.SelectMany(m => m.Sets).Distinct(StringComparer.Ordinal).ToDictionary(
                set => set, set => WorldExport.ReadQuestions(Path.Combine(worlds[i], "questions", $"test.{set}.jsonl")).Take(items).ToArray(), StringComparer.Ordinal);
            foreach (var name in versions)
            {
                var version = ModelStore.Open(stores[i]).Resolve(name);
                subjects[string.Create(CultureInfo.InvariantCulture, $"{name} (store {i + 1})")] = version.Digest;
                foreach (var way in Ways)
                {
                    cells.Add(Ask(name, version, way, i, (long?)world["seed"] ?? version.Lineage.Seed, sets, judge, most));
                    Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{clock.Elapsed:mm\\:ss} {name}, store {i + 1}, {way.Key}: {string.Join(", ", Measures.Select(m => string.Create(CultureInfo.InvariantCulture, $"{m.Key} {Share(cells[^1].Counts[m.Key]):P0}")))}"));
                }
            }
        }
        var report = new Report
        {
            Kind = "template-effect",
            Subjects = subjects,
            Command = $"attune bench template-effect --stores {string.Join(' ', stores)} --versions {string.Join(' ', versions)} --items {items.ToString(CultureInfo.InvariantCulture)} --max-tokens {most.ToString(CultureInfo.InvariantCulture)}",
            Options = new JsonObject { ["items"] = items, ["max_tokens"] = most, ["stores"] = stores.Count, ["sampling"] = "greedy" },
            Environment = new JsonObject { ["os"] = RuntimeInformation.OSDescription, ["cores"] = Environment.ProcessorCount, ["runtime"] = RuntimeInformation.FrameworkDescription },
            Rows = [.. Rows(cells)],
            Details = new JsonObject { ["examples"] = new JsonObject(cells.Where(c => c.Store == 0).Select(c => KeyValuePair.Create($"{c.Version}/{c.Way}", (JsonNode?)c.Example))) },
        };
        Directory.CreateDirectory(folder);
        Atomic.WriteAllText(Path.Combine(folder, "report.json"), report.ToJson().ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));
        Atomic.WriteAllText(Path.Combine(folder, "report.html"), TemplateEffectPage.Html(report, versions));
        var markdown = TemplateEffectPage.Markdown(report, versions);
        Atomic.WriteAllText(Path.Combine(folder, "results.md"), markdown);
        Console.Out.Write(markdown);
        return 0;
    }

    private static Cell Ask(string name, ModelVersion version, Way way, int store, long seed, Dictionary<string, WorldQuestion[]> sets, WorldJudge judge, int most)
    {
        PromptContract? wrong = null;
        if (way.Make is { } make)
        {
            using var own = LocalModel.Open(version.Files);
            wrong = make(own.Contract, own);
        }
        using var answerer = WorldAnswerer.Open(version.Files, version.Kind, most, wrong is null ? null : new() { Contract = _ => wrong, AllowContractMismatch = true });
        var answers = sets.ToDictionary(s => s.Key, s => s.Value.Zip(answerer.Generate(s.Value), (q, g) => (Verdict: judge.Judge(q, g?.Text ?? ""), Answer: g)).ToArray(), StringComparer.Ordinal);
        return new Cell(name, way.Key, store, seed,
            Measures.ToDictionary(m => m.Key, m => m.Sets.SelectMany(set => answers[set]).Select(a => m.Counts(a.Verdict, a.Answer)).ToArray(), StringComparer.Ordinal),
            answers["reading"][0].Answer?.Text ?? "");
    }

    /// <summary>Every cell with Wilson's interval; the mean of the seeds; and what the way costs on the same questions.</summary>
    private static IEnumerable<ReportRow> Rows(List<Cell> cells)
    {
        foreach (var (measure, cell) in Measures.SelectMany(m => cells.Select(c => (m, c))))
        {
            var counts = cell.Counts[measure.Key];
            var (low, high) = Wilson.Interval(counts.Count(c => c), counts.Length);
            yield return new ReportRow { Metric = measure.Key, Group = $"{cell.Version}/{cell.Way}", Value = Share(counts), Low = low, High = high, N = counts.Length, Method = "share of answers, Wilson 95%", Seed = cell.Seed };
        }
        foreach (var (measure, group) in Measures.SelectMany(m => cells.GroupBy(c => (c.Version, c.Way)).Select(g => (m, g))))
        {
            var shares = group.Select(c => Share(c.Counts[measure.Key])).ToArray();
            var (low, high) = Around(shares);
            yield return new ReportRow { Metric = measure.Key + ".mean", Group = $"{group.Key.Version}/{group.Key.Way}", Value = shares.Average(), Low = low, High = high, N = shares.Length, Method = "mean of the seeds, Student's t 95%" };
            if (group.Key.Way == "own")
                continue;
            var costs = group.Select(c => Share(c.Counts[measure.Key]) - Share(cells.First(o => o.Store == c.Store && o.Version == c.Version && o.Way == "own").Counts[measure.Key])).ToArray();
            (low, high) = Around(costs);
            yield return new ReportRow { Metric = measure.Key + ".difference", Group = $"{group.Key.Version}/{group.Key.Way}", Value = costs.Average(), Low = low, High = high, N = costs.Length, Chance = 0, Method = "against its own contract on the same questions: mean of the seeds, Student's t 95%" };
        }
    }

    private static double Share(bool[] counts) => counts.Length == 0 ? double.NaN : (double)counts.Count(c => c) / counts.Length;

    // Two-sided 95% quantiles of Student's t for 1, 2, … degrees of freedom. One seed has no interval.
    private static readonly double[] T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

    private static (double Low, double High) Around(double[] values)
    {
        if (values.Length < 2)
            return (double.NaN, double.NaN);
        var mean = values.Average();
        var half = T[Math.Min(values.Length - 2, T.Length - 1)] * Math.Sqrt(values.Sum(v => (v - mean) * (v - mean)) / (values.Length - 1) / values.Length);
        return (mean - half, mean + half);
    }

    private static PromptContract Variant(PromptContract own, LocalModel model, string template) => own.WithTemplate("variant", template, model.Tokenizer);

    private static string Bos(LocalModel model) => model.Tokenizer.TokenText(model.Contract.BosId ?? model.Config.BosTokenId ?? model.StopIds[^1]);

    private static string Text(string[] args, string name, string otherwise) =>
        Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : otherwise;

    private static List<string> Texts(string[] args, string name) =>
        Array.IndexOf(args, name) is var at and >= 0 ? [.. args.Skip(at + 1).TakeWhile(a => !a.StartsWith("--", StringComparison.Ordinal))] : [];
}
