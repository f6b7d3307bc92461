using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Prompts;

namespace Attune.App.Templates;

/// <summary>
/// A conversation as a JSON file: a list of messages, or an object with <c>messages</c> and perhaps <c>tools</c>,
/// <c>documents</c>, <c>add_generation_prompt</c>; what else the object holds becomes a template variable.
/// </summary>
internal static class ConversationFile
{
    /// <summary>Reads a file, or standard input for <c>-</c>.</summary>
    /// <exception cref="PromptException">ATT1304: it is no conversation; file, line and field say where.</exception>
    public static (Conversation Conversation, bool? AddGenerationPrompt) Read(string path)
    {
        var text = path == "-" ? Console.In.ReadToEnd() : File.ReadAllText(path);
        try
        {
            return Parse(JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false, AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip, MaxDepth = 256 }), path);
        }
        catch (JsonException e)
        {
            throw new PromptException("ATT1304", "This is not JSON: " + e.Message, e) { File = path, Line = (int?)e.LineNumber + 1, Hint = "Give a JSON list of {\"role\": …, \"content\": …}." };
        }
    }

    private static (Conversation, bool?) Parse(JsonNode? root, string file)
    {
        if (root is JsonArray list)
            return (new Conversation(Messages(list, "", file)), null);
        if (root is not JsonObject whole)
            throw Bad(file, "", "A conversation is a list of messages, or an object that has one.");
        if (whole["messages"] is not JsonArray messages)
            throw Bad(file, "messages", whole.ContainsKey("messages") ? "messages must be a list." : "There are no messages.");
        var variables = new JsonObject();
        foreach (var (name, value) in whole)
        {
            if (name is not ("messages" or "tools" or "documents" or "add_generation_prompt"))
                variables[name] = value?.DeepClone();
        }
        return (new Conversation(Messages(messages, "messages", file))
        {
            Tools = List(whole, "tools", file),
            Documents = List(whole, "documents", file),
            Variables = variables.Count == 0 ? null : variables,
        }, whole["add_generation_prompt"] switch
        {
            null => null,
            JsonValue flag when flag.TryGetValue<bool>(out var add) => add,
            _ => throw Bad(file, "add_generation_prompt", "It must be true or false."),
        });
    }

    private static JsonArray? List(JsonObject whole, string name, string file) => whole[name] switch
    {
        null => null,
        JsonArray list => list.DeepClone().AsArray(),
        _ => throw Bad(file, name, $"{name} must be a list."),
    };

    private static List<Message> Messages(JsonArray list, string path, string file)
    {
        var messages = new List<Message>();
        foreach (var node in list)
        {
            var at = FormattableString.Invariant($"{path}[{messages.Count}]");
            if (node is not JsonObject message)
                throw Bad(file, at, "A message is an object.");
            if (message["role"] is not JsonValue role || role.GetValueKind() != JsonValueKind.String)
                throw Bad(file, at + ".role", "A message has a role, which is a text.");
            var fields = new JsonObject();
            foreach (var (name, value) in message)
            {
                if (name != "role")
                    fields[name] = value?.DeepClone();
            }
            messages.Add(new Message(Text(role, at + ".role", file), null) { Fields = fields });
        }
        return messages;
    }

    // JSON can spell half of a surrogate pair; .NET cannot make a text of it.
    private static string Text(JsonValue value, string field, string file)
    {
        try
        {
            return value.GetValue<string>();
        }
        catch (InvalidOperationException e)
        {
            throw Bad(file, field, e.Message);
        }
    }

    private static PromptException Bad(string file, string field, string message) => new("ATT1304", message)
    {
        File = file,
        Field = field.Length == 0 ? null : field,
        Hint = "Messages look like {\"role\": \"user\", \"content\": \"Hi\"}.",
    };
}
