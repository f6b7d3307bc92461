using System.Text.Json.Nodes;
using Attune.App.Runs;
using Attune.Core.Data;
using Attune.Core.Evaluation;
using Attune.Core.Evaluation.Comparison;
using Attune.Core.Evaluation.Statistics;
using Attune.Core.Preferences;
using Attune.Core.Versions;
using Attune.Core.Worlds;
using Attune.Inference;
using Attune.Torch.Stages;

namespace Attune.App.Alignment;

/// <summary>A task figure after alignment beside the one before, on the same items.</summary>
/// <param name="Name">The task.</param>
/// <param name="Before">Before.</param>
/// <param name="After">After.</param>
/// <param name="Change">How much better it is now: above 0 is better, whatever the figure.</param>
/// <param name="Low">Lower end of the change's interval, paired; those of all tasks hold together in 95 of 100 cases.</param>
/// <param name="High">Upper end.</param>
/// <param name="N">Items.</param>
/// <param name="Method">How it is measured.</param>
internal sealed record TaskChange(string Name, double Before, double After, double Change, double Low, double High, int N, string Method)
{
    /// <summary>Whether the task was forgotten: the loss is larger than what is tolerated, and no accident of the items.</summary>
    public bool Forgotten(double tolerance) => Change < -tolerance && High < 0;

    /// <summary>As the report has them.</summary>
    public static JsonArray ToJson(IEnumerable<TaskChange> changes) => new([.. changes.Select(c => (JsonNode)new JsonObject
    {
        ["task"] = c.Name, ["before"] = AlignReport.Finite(c.Before), ["after"] = AlignReport.Finite(c.After), ["change"] = AlignReport.Finite(c.Change),
        ["low"] = AlignReport.Finite(c.Low), ["high"] = AlignReport.Finite(c.High), ["n"] = c.N, ["method"] = c.Method,
    })]);
}

/// <summary>
/// Measures what the version must keep, before and after: a world's task figures, or files of the user's own, whose answers
/// are judged by rules or, where no rule is given, by the loss on them. The intervals hold for all tasks together: of six
/// figures one would else seem to fall in every seventh version that forgot nothing.
/// </summary>
/// <param name="options">The tasks.</param>
/// <param name="before">What has to be kept.</param>
/// <param name="window">Longest row, in tokens.</param>
/// <param name="book">Asks a world's questions, and remembers the answers; null without a world.</param>
/// <param name="judge">Judges them.</param>
internal sealed class TaskGate(AlignOptions options, ModelVersion before, int window, AnswerBook? book, WorldJudge? judge)
{
    private readonly Dictionary<string, double[]> _before = new(StringComparer.Ordinal);
    private readonly IReadOnlyList<ComparisonMetric> _ofWorld = book is null ? [] : [.. ComparisonMetric.All.Where(m => m.IsTask)];

    /// <summary>Whether there is anything to gate by.</summary>
    public bool HasTasks => book is not null || options.Tasks.Count > 0;

    /// <summary>Every task, before and after.</summary>
    public IReadOnlyList<TaskChange> Of(ModelVersion after, CancellationToken cancel)
    {
        var changes = new List<TaskChange>();
        if (book is not null)
            changes.AddRange(World(after, cancel));
        foreach (var file in options.Tasks)
        {
            cancel.ThrowIfCancellationRequested();
            if (!_before.TryGetValue(file, out var was))
                _before[file] = was = Points(file, before, cancel);
            changes.Add(Change(Path.GetFileName(file), was, Points(file, after, cancel),
                options.TaskRule.Count > 0 ? $"greedy answers by {string.Join(", ", options.TaskRule)}, paired" : "mean log-probability of a token (nats), paired by row"));
        }
        return changes;
    }

    private IEnumerable<TaskChange> World(ModelVersion after, CancellationToken cancel)
    {
        var sets = book!.Questions(_ofWorld.SelectMany(m => m.Sets).Distinct(StringComparer.Ordinal));
        var (was, now) = (book.Ask(before.ShortDigest, before.Files, before, sets, judge!, cancel), book.Ask(after.ShortDigest, after.Files, after, sets, judge!, cancel));
        return [.. _ofWorld.Select(metric =>
        {
            // "Higher is worse" figures count the other way, so that a change above 0 is always for the better.
            double[] Points(JudgedVersion version) => [.. version.Of(metric.Sets).Select(a => metric.Counts(a.Verdict) == metric.HigherIsBetter ? 1.0 : 0)];
            return Change(metric.Key, Points(was), Points(now), "the world's judge, paired");
        })];
    }

    // More is better: a loss is negated.
    private double[] Points(string file, ModelVersion version, CancellationToken cancel) =>
        options.TaskRule.Count > 0 ? Grades(file, version, cancel) : [.. RowLosses.Of(version.Files, file, window, options.Items, cancel).Select(l => -l)];

    private double[] Grades(string file, ModelVersion version, CancellationToken cancel)
    {
        var rules = RuleRanker.Parse(options.TaskRule);
        PromptRow[] prompts = [.. DataReader.ReadPrompts(file, BadRows.Drop).Take(options.Items)];
        using var model = LocalModel.Open(version.Files);
        int[][] ids = [.. prompts.Select(p => model.Encode(p.Prompt))];
        var fits = Enumerable.Range(0, ids.Length).Where(i => ids[i].Length < model.Config.ContextLength).ToArray();
        var said = model.GenerateAsync([.. fits.Select(i => ids[i])], new GenerationOptions { MaxTokens = options.MaxTokens }, cancel).GetAwaiter().GetResult();
        var points = new double[prompts.Length];
        for (var i = 0; i < fits.Length; i++)
            points[fits[i]] = rules.Score(prompts[fits[i]], said[i].Text) / rules.Best;
        return points;
    }

    private TaskChange Change(string name, double[] before, double[] after, string method)
    {
        var (value, low, high) = PairedDifference.Of(after, before, Wilson.Z95Of(_ofWorld.Count + options.Tasks.Count));
        return new(name, before.Length == 0 ? double.NaN : before.Average(), after.Length == 0 ? double.NaN : after.Average(), value, low, high, before.Length, method);
    }
}
