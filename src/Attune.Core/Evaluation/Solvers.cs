using Microsoft.Extensions.AI;

namespace Attune.Core.Evaluation;

/// <summary>The ways to ask a model.</summary>
public static class Solvers
{
    /// <summary>As raw text that goes on after the input.</summary>
    public static Solver Complete(ITextCompleter model, IReadOnlyList<string> stops, int maxTokens = 256) => async (items, cancel) =>
    {
        var answers = await model.CompleteAsync([.. items.Select(i => new CompletionRequest(i.Input) { Stops = stops, MaxTokens = maxTokens })], cancel);
        return [.. answers.Select(a => a.Text)];
    };

    /// <summary>As a chat's only question, all items at once: whoever serves the client may batch them.</summary>
    /// <param name="model">Any chat client, local or remote.</param>
    /// <param name="options">Its options.</param>
    /// <param name="together">Most questions that are open at once.</param>
    public static Solver Chat(IChatClient model, ChatOptions? options = null, int together = 64) => async (items, cancel) =>
    {
        using var gate = new SemaphoreSlim(together);
        return await Task.WhenAll(items.Select(async item =>
        {
            await gate.WaitAsync(cancel);
            try
            {
                return (await model.GetResponseAsync([new ChatMessage(ChatRole.User, item.Input)], options, cancel)).Text;
            }
            finally
            {
                gate.Release();
            }
        }));
    };

    /// <summary>By the likelihood of each choice after the input; the first of equals wins, as in lm-evaluation-harness.</summary>
    /// <param name="model">Scores the choices.</param>
    /// <param name="delimiter">Stands between input and choice.</param>
    /// <param name="perCharacter">Divides by the choice's length in characters (acc_norm).</param>
    public static Solver Choose(ITokenScorer model, string delimiter = " ", bool perCharacter = false) => async (items, cancel) =>
    {
        var scores = await model.ScoreAsync([.. items.SelectMany(i => i.Choices.Select(c => new ScoreRequest(i.Input, delimiter + c)))], cancel);
        var (answers, at) = (new List<string>(items.Count), 0);
        foreach (var item in items)
        {
            var sums = item.Choices.Select((choice, c) => scores[at + c].Sum / (perCharacter ? choice.Length : 1)).ToArray();
            at += item.Choices.Count;
            answers.Add(sums.Length == 0 ? "" : item.Choices[Array.IndexOf(sums, sums.Max())]);
        }
        return answers;
    };
}

/// <summary>The usual scorers.</summary>
public static class Scorers
{
    /// <summary>1 where the answer is the target, spaces around it aside.</summary>
    public static Scorer Exact { get; } = (item, answer) => answer.Trim() == item.Target.Trim() ? 1 : 0;

    /// <summary>1 where the target stands in the answer, whatever the case.</summary>
    public static Scorer Contains { get; } = (item, answer) => answer.Contains(item.Target, StringComparison.OrdinalIgnoreCase) ? 1 : 0;
}
