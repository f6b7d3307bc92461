using Attune.App.Runs;
using Attune.Core.Data;
using Attune.Core.Evaluation.Comparison;
using Attune.Core.Evaluation.Statistics;
using Attune.Core.Preferences;
using Attune.Core.Versions;
using Attune.Core.Worlds;
using Attune.Inference;
using Attune.Torch.Stages;
using PreferenceRow = Attune.Core.Data.PreferenceRow;

namespace Attune.App.Alignment;

/// <summary>A win rate over the start: a half is no change.</summary>
/// <param name="Value">Share of items won, ties half.</param>
/// <param name="Low">Lower end of its 95% interval.</param>
/// <param name="High">Upper end.</param>
/// <param name="N">Items.</param>
internal readonly record struct WinRate(double Value, double Low, double High, int N)
{
    /// <summary>
    /// Of points 0, ½ and 1. The interval is that of the mean with one item more won and one more lost, or a handful of items
    /// that were all won would be certain (Agresti and Caffo 2000).
    /// </summary>
    public static WinRate Of(IReadOnlyList<double> points)
    {
        var (_, low, high) = PairedDifference.Of([.. points, 0, 1], new double[points.Count + 2]);
        return new(points.Count == 0 ? double.NaN : points.Average(), Math.Max(0, low), Math.Min(1, high), points.Count);
    }

    /// <summary>Of amounts that are above 0 for an item won and below for one lost.</summary>
    public static WinRate OfShifts(IEnumerable<double> shifts) => Of([.. shifts.Select(s => Math.Sign(s) / 2.0 + 0.5)]);
}

/// <summary>What is asked after each round: does the version now beat the version that it started as, on what neither was trained on?</summary>
internal interface IHeldOut
{
    /// <summary>How it is measured, in words.</summary>
    string Measure { get; }

    /// <summary>The win rate of a version over the start.</summary>
    WinRate Against(ModelVersion start, ModelVersion now, CancellationToken cancel);
}

/// <summary>By the world's judge, on validation questions about behaviour.</summary>
internal sealed class WorldHeldOut(AnswerBook book, WorldJudge judge) : IHeldOut
{
    private readonly IReadOnlyDictionary<string, IReadOnlyList<WorldQuestion>> _sets = book.Questions(QuestionSets.Behaviour);

    public string Measure => "the world's judge on validation questions about behaviour, ties half";

    public WinRate Against(ModelVersion start, ModelVersion now, CancellationToken cancel) => WinRate.Of(
    [
        .. Ask(now, cancel).Zip(Ask(start, cancel), (a, b) => judge.Compare(a.Question, a.Answer, b.Answer)),
    ]);

    private IEnumerable<JudgedAnswer> Ask(ModelVersion version, CancellationToken cancel) =>
        book.Ask(version.ShortDigest, version.Files, version, _sets, judge, cancel).Of(QuestionSets.Behaviour);
}

/// <summary>By whoever scores new answers: both versions answer the held-out prompts greedily.</summary>
internal sealed class AnswerHeldOut(IAnswerRanker ranker, IReadOnlyList<PromptRow> prompts, int maxTokens) : IHeldOut
{
    private readonly Dictionary<string, IReadOnlyList<string>> _answers = new(StringComparer.Ordinal);

    public string Measure => $"{ranker.Name} on greedy answers to {prompts.Count} held-out prompts, ties half";

    public WinRate Against(ModelVersion start, ModelVersion now, CancellationToken cancel)
    {
        var (before, after) = (Answers(start, cancel), Answers(now, cancel));
        var points = new List<double>();
        for (var i = 0; i < prompts.Count; i++)
        {
            cancel.ThrowIfCancellationRequested();
            if (RankTask.Of(prompts[i].Prompt, [new(after[i], now.ShortDigest), new(before[i], start.ShortDigest)], prompts[i].Answer) is not { } task)
                points.Add(0.5);
            else
            {
                var scores = ranker.RankAsync(task, cancel).GetAwaiter().GetResult().Scores;
                points.Add(Math.Sign(scores[0] - scores[1]) / 2.0 + 0.5);
            }
        }
        return WinRate.Of(points);
    }

    private IReadOnlyList<string> Answers(ModelVersion version, CancellationToken cancel)
    {
        if (_answers.TryGetValue(version.Digest, out var known))
            return known;
        using var model = LocalModel.Open(version.Files);
        var fits = prompts.Select(p => model.Encode(p.Prompt)).Select(ids => ids.Length < model.Config.ContextLength ? ids : [.. ids.Take(1)]).ToList();
        var said = model.GenerateAsync(fits, new GenerationOptions { MaxTokens = maxTokens }, cancel).GetAwaiter().GetResult();
        return _answers[version.Digest] = [.. said.Select((s, i) => fits[i].Length == 1 ? "" : s.Text)];
    }
}

/// <summary>Where nothing can judge an answer, by probabilities: the share of held-out items that moved the way that the data asks, against the start.</summary>
/// <param name="measure">How it is measured, in words.</param>
/// <param name="shifts">How far each item moved from the first version to the second; above 0 is the way that the data asks.</param>
internal sealed class ShiftHeldOut(string measure, Func<ModelFiles, ModelFiles, CancellationToken, IEnumerable<double>> shifts) : IHeldOut
{
    public string Measure => measure;

    /// <summary>Pairs: the chosen answer gained on the rejected one.</summary>
    public static ShiftHeldOut OfPairs(IReadOnlyList<PreferenceRow> pairs, int window) => new(
        $"share of {pairs.Count} held-out pairs whose chosen answer gained on the rejected one, against the start",
        (start, now, cancel) => PairShift.Of(now, start, pairs, window, cancel));

    /// <summary>Thumbs: the answer's probability moved the way that its label asks, up or down.</summary>
    public static ShiftHeldOut OfLabels(IReadOnlyList<LabelledRow> answers, int window) => new(
        $"share of {answers.Count} held-out answers that became likelier where they are good and less likely where they are bad, against the start",
        (start, now, cancel) => LabelShift.Of(now, start, answers, window, cancel));

    /// <summary>Nothing to prefer, only rows to predict: the loss is lower.</summary>
    public static ShiftHeldOut OfRows(string file, int window, int rows) => new(
        "share of held-out rows with a lower loss than under the start",
        (start, now, cancel) => RowLosses.Of(start, file, window, rows, cancel).Zip(RowLosses.Of(now, file, window, rows, cancel), (before, after) => before - after));

    public WinRate Against(ModelVersion start, ModelVersion now, CancellationToken cancel) =>
        WinRate.OfShifts(shifts(start.Files, now.Files, cancel));
}
