using Attune.Prompts;

namespace Attune.Core.Data;

/// <summary>Where a row came from.</summary>
/// <param name="File">The file as the user named it.</param>
/// <param name="Line">The line that it starts on, counted from one.</param>
/// <param name="Kind">The row's <c>kind</c> field, which reports count shares by; null where it has none.</param>
public sealed record RowOrigin(string File, int Line, string? Kind = null)
{
    /// <summary>file:line.</summary>
    public override string ToString() => FormattableString.Invariant($"{File}:{Line}");
}

/// <summary>A row as it was read, before any tokenizer or template.</summary>
/// <param name="Origin">Where it came from.</param>
public abstract record DataRow(RowOrigin Origin);

/// <summary>Text to be predicted as it is: a document, or one piece of a very long one.</summary>
/// <param name="Text">Line ends are \n.</param>
/// <param name="Origin">Where it came from.</param>
public sealed record TextRow(string Text, RowOrigin Origin) : DataRow(Origin)
{
    /// <summary>Whether a document starts here (and is not carried on from the piece before).</summary>
    public bool Opens { get; init; } = true;

    /// <summary>Whether the document ends here.</summary>
    public bool Closes { get; init; } = true;
}

/// <summary>A conversation that ends with an assistant message; the assistant's messages are what is learnt.</summary>
/// <param name="Conversation">Messages and tools.</param>
/// <param name="Origin">Where it came from.</param>
public sealed record ConversationRow(Conversation Conversation, RowOrigin Origin) : DataRow(Origin);

/// <summary>Two completions of one prompt, the first preferred.</summary>
/// <param name="Prompt">Ends with a user or tool message.</param>
/// <param name="Chosen">What is preferred; ends with an assistant message.</param>
/// <param name="Rejected">The other one; differs from the chosen.</param>
/// <param name="Origin">Where it came from.</param>
public sealed record PreferenceRow(Conversation Prompt, IReadOnlyList<Message> Chosen, IReadOnlyList<Message> Rejected, RowOrigin Origin) : DataRow(Origin)
{
    /// <summary>By how much it is preferred: the chosen's score less the rejected's, 0 or more; null where the data does not say.</summary>
    public double? Margin { get; init; }
}

/// <summary>K completions of one prompt with what each is worth: graded, or ranked with ties.</summary>
/// <param name="Prompt">Ends with a user or tool message.</param>
/// <param name="Responses">K of them, two or more; each ends with an assistant message.</param>
/// <param name="Scores">K finite numbers, higher is better, equal ones are ties. Ranks become K − rank, so that a step of rank is a margin of one.</param>
/// <param name="Origin">Where it came from.</param>
public sealed record RankingRow(Conversation Prompt, IReadOnlyList<IReadOnlyList<Message>> Responses, IReadOnlyList<double> Scores, RowOrigin Origin) : DataRow(Origin)
{
    /// <summary>Whether whoever ranked them found none of them acceptable.</summary>
    public bool AllBad { get; init; }

    /// <summary>Whether any answer is worth more than another.</summary>
    public bool HasPreference => Scores.Any(s => s != Scores[0]);

    /// <summary>Indices of the responses from best to worst; equal ones keep their order.</summary>
    public IReadOnlyList<int> BestFirst => [.. Enumerable.Range(0, Scores.Count).OrderByDescending(i => Scores[i])];
}

/// <summary>A conversation whose last message has a score of its own. Rows of one prompt make a ranking.</summary>
/// <param name="Conversation">Ends with the scored assistant message.</param>
/// <param name="Score">Finite, higher is better.</param>
/// <param name="Origin">Where it came from.</param>
public sealed record ScoredRow(Conversation Conversation, double Score, RowOrigin Origin) : DataRow(Origin);

/// <summary>A conversation whose last message is labelled good or bad (KTO).</summary>
/// <param name="Conversation">Ends with the labelled assistant message.</param>
/// <param name="Desirable">The label.</param>
/// <param name="Origin">Where it came from.</param>
public sealed record LabelledRow(Conversation Conversation, bool Desirable, RowOrigin Origin) : DataRow(Origin);

/// <summary>A prompt to be answered: for rollouts, and for answers that someone ranks.</summary>
/// <param name="Prompt">Ends with a user or tool message.</param>
/// <param name="Answer">What a right answer says, where it can be checked; else null.</param>
/// <param name="Origin">Where it came from.</param>
public sealed record PromptRow(Conversation Prompt, string? Answer, RowOrigin Origin) : DataRow(Origin);
