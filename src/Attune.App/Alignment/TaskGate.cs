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
/// <param name="Low">Lower end of the change's 95% interval, paired.</param>
/// <param name="High">Upper end.</param>
/// <param name="N">Items.</param>
/// <param name="Method">How it is measured.</param>
internal sealed record TaskChange(string Name, double Before, double After, double Change, double Low, double High, int N, string Method)
{
    /// <summary>Whether the task was forgotten: the loss is larger than what is tolerated, and no accident of the items.</summary>
    public bool Forgotten(double tolerance) => Change < -tolerance && High < 0;
}

/// <summary>
/// Measures what the version must keep, before and after: a world's task figures, or files of the user's own, whose answers
/// are judged by rules or, where no rule is given, by the loss on them.
/// </summary>
internal sealed class TaskGate(AlignOptions options, AnswerBook? book, WorldJudge? judge)
{
    /// <summary>Whether there is anything to gate by.</summary>
    public bool HasTasks => book is not null || options.Tasks.Count > 0;

    /// <summary>Every task, before and after.</summary>
    public IReadOnlyList<TaskChange> Measure(ModelVersion before, ModelVersion after, int window, CancellationToken cancel)
    {
        var changes = new List<TaskChange>();
        if (book is not null)
            changes.AddRange(World(before, after, cancel));
        foreach (var file in options.Tasks)
        {
            cancel.ThrowIfCancellationRequested();
            changes.Add(options.TaskRule.Count > 0 ? Answers(file, before, after, cancel) : Loss(file, before, after, window, cancel));
        }
        return changes;
    }

    private IEnumerable<TaskChange> World(ModelVersion before, ModelVersion after, CancellationToken cancel)
    {
        var metrics = ComparisonMetric.All.Where(m => m.IsTask).ToList();
        var sets = book!.Questions(metrics.SelectMany(m => m.Sets).Distinct(StringComparer.Ordinal));
        var (was, now) = (book.Ask(before.ShortDigest, before.Files, before, sets, judge!, cancel), book.Ask(after.ShortDigest, after.Files, after, sets, judge!, cancel));
        return [.. metrics.Select(metric =>
        {
            // "Higher is worse" figures count the other way, so that a change above 0 is always for the better.
            double[] Points(JudgedVersion version) => [.. version.Of(metric.Sets).Select(a => metric.Counts(a.Verdict) == metric.HigherIsBetter ? 1.0 : 0)];
            return Change(metric.Key, Points(was), Points(now), "the world's judge, paired");
        })];
    }

    private TaskChange Answers(string file, ModelVersion before, ModelVersion after, CancellationToken cancel)
    {
        var rules = RuleRanker.Parse(options.TaskRule);
        PromptRow[] prompts = [.. DataReader.ReadPrompts(file, BadRows.Drop).Take(options.Items)];
        double[] Points(ModelVersion version)
        {
            using var model = LocalModel.Open(version.Files);
            int[][] ids = [.. prompts.Select(p => model.Encode(p.Prompt))];
            var fits = Enumerable.Range(0, ids.Length).Where(i => ids[i].Length < model.Config.ContextLength).ToArray();
            var said = model.GenerateAsync([.. fits.Select(i => ids[i])], new GenerationOptions { MaxTokens = options.MaxTokens }, cancel).GetAwaiter().GetResult();
            var points = new double[prompts.Length];
            for (var i = 0; i < fits.Length; i++)
                points[fits[i]] = rules.Score(prompts[fits[i]], said[i].Text) / rules.Best;
            return points;
        }

        return Change(Path.GetFileName(file), Points(before), Points(after), $"greedy answers by {string.Join(", ", options.TaskRule)}, paired");
    }

    private TaskChange Loss(string file, ModelVersion before, ModelVersion after, int window, CancellationToken cancel)
    {
        // A loss is negated: more is better, as everywhere here.
        double[] Points(ModelVersion version) => [.. RowLosses.Of(version.Files, file, window, options.Items, cancel).Select(l => -l)];
        return Change(Path.GetFileName(file), Points(before), Points(after), "mean log-probability of a token (nats), paired by row");
    }

    private static TaskChange Change(string name, double[] before, double[] after, string method)
    {
        var (value, low, high) = PairedDifference.Of(after, before);
        return new(name, before.Length == 0 ? double.NaN : before.Average(), after.Length == 0 ? double.NaN : after.Average(), value, low, high, before.Length, method);
    }
}
