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
public sealed record PreferenceRow(Conversation Prompt, IReadOnlyList<Message> Chosen, IReadOnlyList<Message> Rejected, RowOrigin Origin) : DataRow(Origin);

/// <summary>A conversation whose last message is labelled good or bad (KTO).</summary>
/// <param name="Conversation">Ends with the labelled assistant message.</param>
/// <param name="Desirable">The label.</param>
/// <param name="Origin">Where it came from.</param>
public sealed record LabelledRow(Conversation Conversation, bool Desirable, RowOrigin Origin) : DataRow(Origin);
