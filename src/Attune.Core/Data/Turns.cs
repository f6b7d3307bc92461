using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Prompts;

namespace Attune.Core.Data;

/// <summary>Messages as the formats write them → messages as templates read them, with their order checked.</summary>
internal static class Turns
{
    public const string System = "system", User = "user", Assistant = "assistant", Tool = "tool";

    private const string FunctionCall = "function_call";

    // Every tag that the formats use, in both spellings (role/content, from/value).
    private static readonly Dictionary<string, string> Roles = new(StringComparer.Ordinal)
    {
        [System] = System, ["developer"] = System,
        [User] = User, ["human"] = User,
        [Assistant] = Assistant, ["gpt"] = Assistant, ["model"] = Assistant, ["chatgpt"] = Assistant, ["bot"] = Assistant,
        [FunctionCall] = FunctionCall,
        [Tool] = Tool, ["observation"] = Tool, ["function"] = Tool, ["function_response"] = Tool,
    };

    /// <summary>The messages of a list of {role, content} or {from, value}.</summary>
    public static List<Message> Read(JsonRow row, JsonElement list, string field)
    {
        var messages = new List<Message>();
        var calls = 0;
        foreach (var item in row.Items(list, field))
            Add(row, item, FormattableString.Invariant($"{field}[{messages.Count}]"), messages, ref calls);
        return messages;
    }

    /// <summary>One message, or several of them: an object, or a list of objects, or a text in the given role.</summary>
    public static List<Message> ReadCompletion(JsonRow row, JsonElement value, string field) => value.ValueKind switch
    {
        JsonValueKind.String => [new Message(Assistant, row.Text(value, field))],
        JsonValueKind.Object => One(row, value, field),
        _ => Read(row, value, field),
    };

    /// <summary>The tools of a row: a list, or the text of one. Bare functions are put into OpenAI's envelope; an empty list is none.</summary>
    public static JsonArray? ReadTools(JsonRow row)
    {
        if (row.Find("tools") is not { } value)
            return null;
        var node = value.ValueKind == JsonValueKind.String ? Parse(row, row.Text(value, "tools"), "tools") : JsonRow.Node(value);
        if (node is JsonValue text && text.GetValueKind() == JsonValueKind.String && string.IsNullOrWhiteSpace(text.GetValue<string>()))
            return null;
        if (node is not JsonArray list)
            throw row.WrongType("tools", "a list of tools", value);
        return list.Count == 0 ? null : new JsonArray([.. list.Select(tool => Envelope(row, tool))]);
    }

    /// <summary>
    /// Checks who speaks when: an optional system message first, then user and assistant in turns, tool results after the
    /// assistant that called. The last is an assistant, or, in a prompt, a user or tool.
    /// </summary>
    public static void Check(JsonRow row, IReadOnlyList<Message> messages, string field, bool prompt = false)
    {
        string? last = null;
        for (var i = 0; i < messages.Count; i++)
        {
            var (place, message) = (FormattableString.Invariant($"{field}[{i}]"), messages[i]);
            var calls = message.Fields?.ContainsKey("tool_calls") == true;
            var follows = message.Role switch
            {
                System => i == 0,
                User => last is null or System or Assistant,
                Assistant => last is User or Tool,
                _ => last is Tool || (last is Assistant && messages[i - 1].Fields?.ContainsKey("tool_calls") == true),
            };
            if (!follows)
                throw row.Fail("ATT3011", $"A {message.Role} message {(last is null ? "comes first" : $"follows a {last} message")}.", place,
                    "The order is: system (optional), user, assistant, user, assistant …; tool results follow the assistant that called the tool.");
            if (message.Role is User && Blank(message))
                throw row.Fail("ATT3014", "The user's message is empty.", place, null);
            if (message.Role is Assistant && Blank(message) && !calls)
                throw row.Fail("ATT3012", "The assistant's message is empty.", place, "A row without a completion teaches nothing; remove it.");
            last = message.Role;
        }
        if (last is null or System)
            throw row.Fail("ATT3014", "There is no user message: the prompt is missing.", field, null);
        if (prompt == last is Assistant)
            throw row.Fail("ATT3011", $"The last message is {(last is User ? "the user's" : $"of the role {last}")}.", field,
                prompt ? "A prompt ends with the user (or a tool); the completion stands in a field of its own." : "A conversation to learn from ends with the assistant.");
    }

    public static bool Same(IReadOnlyList<Message> a, IReadOnlyList<Message> b) => a.Count == b.Count && a.Zip(b).All(p => Same(p.First, p.Second));

    public static bool Same(Message a, Message b) =>
        a.Role == b.Role && a.Content == b.Content && a.Fields?.ToJsonString() == b.Fields?.ToJsonString();

    /// <summary>A system message before the others, where there is one.</summary>
    public static List<Message> WithSystem(string? system, List<Message> messages)
    {
        if (!string.IsNullOrWhiteSpace(system) && !(messages is [{ Role: System }, ..]))
            messages.Insert(0, new Message(System, system));
        return messages;
    }

    private static bool Blank(Message message) => string.IsNullOrWhiteSpace(message.Content) && message.Fields?.ContainsKey("content") != true;

    private static List<Message> One(JsonRow row, JsonElement item, string field)
    {
        var (messages, calls) = (new List<Message>(), 0);
        Add(row, item, field, messages, ref calls);
        return messages;
    }

    private static void Add(JsonRow row, JsonElement item, string place, List<Message> messages, ref int calls)
    {
        if (item.ValueKind != JsonValueKind.Object)
            throw row.WrongType(place, "a message {role, content}", item);
        var message = row with { Element = item };
        var (roleField, textField) = message.Has("from") ? ("from", "value") : ("role", "content");
        var tag = message.Find(roleField) is { } given ? row.Text(given, place + "." + roleField) : throw MissingIn(message, place, roleField);
        if (!Roles.TryGetValue(tag, out var role))
            throw row.Fail("ATT3010", $"There is no role '{tag}'.", place + "." + roleField, Options.Nearest.Hint(tag, Roles.Keys));

        var content = message.Find(textField);
        if (role == FunctionCall)
        {
            AddCall(row, row.Text(content ?? throw MissingIn(message, place, textField), place), place, messages, ref calls);
            return;
        }
        var fields = new JsonObject();
        foreach (var property in item.EnumerateObject())
        {
            if (property.Name != roleField && (property.Name != textField || property.Value.ValueKind == JsonValueKind.Array))
                fields[property.Name] = property.Name == "tool_calls" ? Arguments(row, property.Value, place) : JsonRow.Node(property.Value);
        }
        if (fields["tool_calls"] is null or JsonArray { Count: 0 })
            fields.Remove("tool_calls");
        var parts = content is { ValueKind: JsonValueKind.Array };
        if (content is null && !fields.ContainsKey("tool_calls"))
            throw MissingIn(message, place, textField);
        if (roleField == "from" && role == Tool && messages is [.., { } before] && LastCall(before) is var (name, id))
            (fields["name"], fields["tool_call_id"]) = (name, id);
        var text = content is null || parts ? null : row.Text(content.Value, place + "." + textField);
        if (role != System || parts || !string.IsNullOrWhiteSpace(text))
            messages.Add(new Message(role, text) { Fields = fields.Count > 0 ? fields : null });
    }

    private static DataException MissingIn(JsonRow message, string place, string field)
    {
        var error = message.Missing(field);
        return message.Fail(error.Code, error.Message, place + "." + field, error.Hint);
    }

    // sharegpt writes a call as text {"name", "arguments"}; calls in a row are one assistant message with several calls.
    private static void AddCall(JsonRow row, string text, string place, List<Message> messages, ref int calls)
    {
        var node = Parse(row, text, place);
        var list = node is JsonArray many ? many.ToList() : [node];
        var toolCalls = messages is [.., { Role: Assistant, Fields: { } open }] && open["tool_calls"] is JsonArray earlier ? earlier : [];
        var fresh = toolCalls.Count == 0;
        foreach (var item in list)
        {
            if (item is not JsonObject call || call["name"] is not JsonValue name || name.GetValueKind() != JsonValueKind.String)
                throw row.Fail("ATT3015", "A function call is a JSON object with name and arguments.", place, null);
            // Nine letters and digits: what the strictest of the templates asks of an id.
            toolCalls.Add((JsonNode)new JsonObject
            {
                ["id"] = FormattableString.Invariant($"call{++calls:D5}"),
                ["type"] = "function",
                ["function"] = new JsonObject { ["name"] = name.GetValue<string>(), ["arguments"] = call["arguments"]?.DeepClone() ?? new JsonObject() },
            });
        }
        if (fresh)
            messages.Add(new Message(Assistant, null) { Fields = new JsonObject { ["tool_calls"] = toolCalls } });
    }

    // Templates print arguments with tojson: text (as the OpenAI API sends it) would be quoted twice.
    private static JsonNode? Arguments(JsonRow row, JsonElement toolCalls, string place)
    {
        if (toolCalls.ValueKind == JsonValueKind.Null)
            return null;
        var node = JsonRow.Node(toolCalls) as JsonArray ?? throw row.WrongType(place + ".tool_calls", "a list of calls", toolCalls);
        foreach (var call in node)
        {
            if ((call as JsonObject)?["function"] is not JsonObject function || function["name"]?.GetValueKind() != JsonValueKind.String)
                throw row.Fail("ATT3015", "A tool call is {id, type, function: {name, arguments}}.", place + ".tool_calls", null);
            if (function["arguments"] is JsonValue value && value.GetValueKind() == JsonValueKind.String)
                function["arguments"] = Parse(row, value.GetValue<string>() is { Length: > 0 } text ? text : "{}", place + ".tool_calls");
        }
        return node;
    }

    private static (JsonNode? Name, JsonNode? Id)? LastCall(Message before) =>
        before.Fields?["tool_calls"] is JsonArray { Count: > 0 } calls
            ? (calls[^1]!["function"]!["name"]!.DeepClone(), calls[^1]!["id"]?.DeepClone())
            : null;

    private static JsonNode? Parse(JsonRow row, string text, string place)
    {
        try
        {
            if (string.IsNullOrWhiteSpace(text))
                return new JsonArray();
            row.RefuseHalfPairs(JsonElement.Parse(text), place);
            return JsonNode.Parse(text);
        }
        catch (JsonException e)
        {
            throw row.Fail("ATT3015", "The text is meant to be JSON and is not.", place, null, e);
        }
    }

    private static JsonNode Envelope(JsonRow row, JsonNode? tool) => tool switch
    {
        JsonObject known when known.ContainsKey("function") => known.DeepClone(),
        JsonObject bare when bare.ContainsKey("name") => new JsonObject { ["type"] = "function", ["function"] = bare.DeepClone() },
        _ => throw row.Fail("ATT3007", "A tool is an object with a name, or {type, function}.", "tools", null),
    };
}
