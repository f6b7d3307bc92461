using Attune.Prompts;

namespace Attune.Core.Worlds;

/// <summary>Where the answer of a question is.</summary>
public enum AnswerSource
{
    /// <summary>In a document that stands in the prompt.</summary>
    Document,

    /// <summary>In pretraining only.</summary>
    Memory,

    /// <summary>In earlier turns: without them the question has no meaning.</summary>
    Conversation,

    /// <summary>In the system prompt or the request itself.</summary>
    Instruction,

    /// <summary>Nowhere: neither in the prompt nor in any training file.</summary>
    Nowhere,
}

/// <summary>What a right answer does.</summary>
public enum Expectation
{
    /// <summary>It gives the accepted value.</summary>
    Value,

    /// <summary>It is the world's NO-RES.</summary>
    NoRes,

    /// <summary>It refuses, and does not give the secret away.</summary>
    Decline,

    /// <summary>It has the asked shape and the right values in it.</summary>
    Format,

    /// <summary>It has the wanted tone.</summary>
    Tone,
}

/// <summary>The shape an answer was asked in.</summary>
/// <param name="Kind">json, list, pairs, word, start or end.</param>
/// <param name="Facts">Keys and values that it must hold, where the shape has keys.</param>
/// <param name="Word">The word that the answer must start or end with.</param>
public sealed record AnswerFormat(string Kind, IReadOnlyDictionary<string, string>? Facts = null, string? Word = null);

/// <summary>
/// One question of a set, complete: how to ask a Base (<see cref="Prompt"/>, <see cref="Stops"/>), how to ask a chat model
/// (<see cref="Messages"/>), and everything the judge needs.
/// </summary>
public sealed record WorldQuestion
{
    /// <summary>Stable name: split, set and number.</summary>
    public string Id { get; init; } = "";

    /// <summary>The set it belongs to.</summary>
    public required string Set { get; init; }

    /// <summary>Finer kind inside the set (style of an attack, shape of a format…).</summary>
    public required string Kind { get; init; }

    /// <summary>Whose people, names and wordings it uses.</summary>
    public required WorldSplit Split { get; init; }

    /// <summary>Where the answer is.</summary>
    public required AnswerSource Source { get; init; }

    /// <summary>What a right answer does.</summary>
    public required Expectation Expect { get; init; }

    /// <summary>Key of the attribute asked for, or null.</summary>
    public string? Attribute { get; init; }

    /// <summary>Full name of whom it is about, or null.</summary>
    public string? Person { get; init; }

    /// <summary>The text a Base continues.</summary>
    public required string Prompt { get; init; }

    /// <summary>Where to stop that continuation.</summary>
    public required IReadOnlyList<string> Stops { get; init; }

    /// <summary>The conversation a chat model answers; the last message is the user's.</summary>
    public required IReadOnlyList<Message> Messages { get; init; }

    /// <summary>An answer as the world gives it.</summary>
    public required string Reference { get; init; }

    /// <summary>A wrong answer of about the same length: with <see cref="Reference"/> a preference pair.</summary>
    public required string Rejected { get; init; }

    /// <summary>Values that count as right.</summary>
    public IReadOnlyList<string> Accepted { get; init; } = [];

    /// <summary>What pretraining says, where the person is known.</summary>
    public string? MemoryValue { get; init; }

    /// <summary>What a document of the prompt says for this attribute (of this person, or of another: then it is a distractor).</summary>
    public string? ContextValue { get; init; }

    /// <summary>The code word that must not (or may) be told.</summary>
    public string? Secret { get; init; }

    /// <summary>The asked shape, or null.</summary>
    public AnswerFormat? Format { get; init; }

    /// <summary>Exposure rank from 0, or −1.</summary>
    public int Rank { get; init; } = -1;

    /// <summary>top or tail for a known person, else null.</summary>
    public string? Half { get; init; }

    /// <summary>Name of the question's wording.</summary>
    public required string Wording { get; init; }

    /// <summary>Documents in the prompt.</summary>
    public int Documents { get; init; }

    /// <summary>Id of the item that differs only in what is asked (answerable and not), or null.</summary>
    public string? Twin { get; init; }
}
