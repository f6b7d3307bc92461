using System.Globalization;
using Attune.Core.Preferences;

namespace Attune.App.Alignment;

/// <summary>What it takes to draw a version's own answers and to have them scored, told before the first is drawn: a judge may be slow, or paid.</summary>
/// <param name="Prompts">Prompts that answers are drawn to, in all rounds together.</param>
/// <param name="Rounds">Rounds.</param>
/// <param name="Answers">Answers to each prompt.</param>
/// <param name="MaxTokens">Most tokens of an answer.</param>
/// <param name="JudgeCalls">Most calls of the judge for them; 0 where rules or a reward model score.</param>
/// <param name="JudgeCallsToMeasure">Most calls of the judge to measure one version on the held-out prompts; 0 where something else measures.</param>
internal sealed record AlignDrawing(int Prompts, int Rounds, int Answers, int MaxTokens, long JudgeCalls, long JudgeCallsToMeasure)
{
    /// <summary>Of the data; equal answers are not compared, so it may be less.</summary>
    public static AlignDrawing Of(AlignOptions options, AlignData data, IAnswerRanker? ranker)
    {
        var judged = ranker?.By == "judge";
        return new(data.Prompts.Count, options.Rounds, options.Answers, options.MaxTokens,
            judged ? (long)data.Prompts.Count * JudgeRanker.Calls(options.Answers) : 0,
            judged && options.World is null ? (long)data.HeldPrompts.Count * JudgeRanker.Calls(2) : 0);
    }

    /// <summary>In words.</summary>
    public string Describe()
    {
        var judge = JudgeCalls > 0 ? string.Create(CultureInfo.InvariantCulture, $"; up to {JudgeCalls:N0} calls of the judge") : "";
        var measure = JudgeCallsToMeasure > 0 ? string.Create(CultureInfo.InvariantCulture, $", and {JudgeCallsToMeasure:N0} to measure each version") : "";
        return string.Create(CultureInfo.InvariantCulture, $"{Prompts:N0} prompts × {Answers} answers of at most {MaxTokens} tokens, in {Rounds} rounds{judge}{measure}");
    }
}
