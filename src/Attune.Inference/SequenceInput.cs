namespace Attune.Inference;

/// <summary>Which rows of a step need logits.</summary>
public enum LogitsWanted
{
    /// <summary>None: the tokens only go into the cache.</summary>
    None,

    /// <summary>The last one: what comes next.</summary>
    Last,

    /// <summary>Every one: scoring.</summary>
    All,
}

/// <summary>New tokens of one sequence: its prompt, a part of it, or the token that was just chosen.</summary>
/// <param name="Cache">The sequence so far. It grows by these tokens.</param>
/// <param name="Ids">At least one.</param>
/// <param name="Wanted">Which of them need logits.</param>
public readonly record struct SequenceInput(KvCache Cache, ReadOnlyMemory<int> Ids, LogitsWanted Wanted = LogitsWanted.Last);

/// <summary>Receives the logits of one row. The span is valid during the call only, and may be written to.</summary>
/// <param name="input">Index of the sequence among the inputs of the step.</param>
/// <param name="position">Index of the token within <see cref="SequenceInput.Ids"/>.</param>
/// <param name="logits">V numbers: the scores of what comes after that token.</param>
public delegate void LogitsReader(int input, int position, Span<float> logits);
