using System.Text.Json.Nodes;
using Attune.Testing;

namespace Attune.Prompts.Tests;

/// <summary>The reference's templates, conversations and renders, as they lie in the shared folder.</summary>
internal static class Reference
{
    public static readonly DateTime Clock = new(2025, 1, 15, 10, 20, 30);

    public static IReadOnlyDictionary<string, JsonObject> Cases() =>
        JsonNode.Parse(File.ReadAllText(SharedData.PathOf("templates", "cases.json")))!.AsObject().ToDictionary(c => c.Key, c => c.Value!.AsObject());

    public static IEnumerable<JsonObject> Rows(string file) =>
        File.ReadLines(SharedData.PathOf("templates", file)).Select(line => JsonNode.Parse(line)!.AsObject());

    public static string Template(string name) => File.ReadAllText(SharedData.PathOf("templates", "jinja", name));

    /// <summary>A case with the extra variables that a row was rendered with.</summary>
    public static (Conversation Conversation, TemplateSettings Settings) Input(JsonObject example, JsonObject kwargs)
    {
        var special = new Dictionary<string, string>(StringComparer.Ordinal);
        var variables = new JsonObject();
        bool? add = null;
        foreach (var (name, value) in kwargs)
        {
            if (name.EndsWith("_token", StringComparison.Ordinal))
                special[name] = value!.GetValue<string>();
            else if (name == "add_generation_prompt")
                add = value!.GetValue<bool>();
            else
                variables[name] = value?.DeepClone();
        }
        return (Conversation(example) with { Variables = variables }, new TemplateSettings { SpecialTokens = special, AddGenerationPrompt = add, Now = Clock });
    }

    public static Conversation Conversation(JsonObject example) => new(
        [.. example["messages"]!.AsArray().Select(m => Message(m!.AsObject()))])
    {
        Tools = example["tools"]?.DeepClone().AsArray(),
        Documents = example["documents"]?.DeepClone().AsArray(),
    };

    private static Message Message(JsonObject message)
    {
        var fields = new JsonObject();
        foreach (var (name, value) in message)
        {
            if (name != "role" && (name != "content" || value is JsonArray))
                fields[name] = value?.DeepClone();
        }
        return new Message(message["role"]!.GetValue<string>(), message["content"] is JsonValue content ? content.GetValue<string>() : null) { Fields = fields };
    }

    /// <summary>UTF-16 code units as code points, which the reference counts in.</summary>
    public static int CodePoint(string text, int offset) => text.AsSpan(0, offset).ToString().EnumerateRunes().Count();
}
