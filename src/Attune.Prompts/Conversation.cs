using System.Text.Json.Nodes;

namespace Attune.Prompts;

/// <summary>
/// One message of a conversation. <see cref="Role"/> and <see cref="Content"/> are what every template reads;
/// whatever else a message carries (tool_calls, tool_call_id, name, reasoning_content, content in parts…)
/// stands in <see cref="Fields"/> as the JSON that it came as.
/// </summary>
/// <param name="Role">system, user, assistant, tool, or whatever the template knows.</param>
/// <param name="Content">The text, or null where the message has none (an assistant that only calls tools).</param>
public sealed record Message(string Role, string? Content)
{
    /// <summary>Further fields of the message, by their JSON names; null where there are none.</summary>
    public JsonObject? Fields { get; init; }

    /// <summary>
    /// The token ids that a model of ours produced for this assistant message, end of turn included, or null.
    /// Only such text is trusted to hold control tokens.
    /// </summary>
    public IReadOnlyList<int>? GeneratedIds { get; init; }
}

/// <summary>A conversation as a template renders it: messages, and the tools and documents offered with them.</summary>
/// <param name="Messages">In order, oldest first.</param>
public sealed record Conversation(IReadOnlyList<Message> Messages)
{
    /// <summary>Tool schemas (OpenAI function format), or null.</summary>
    public JsonArray? Tools { get; init; }

    /// <summary>Retrieved documents, or null.</summary>
    public JsonArray? Documents { get; init; }

    /// <summary>Extra template variables (enable_thinking, date_string…), or null.</summary>
    public JsonObject? Variables { get; init; }
}
