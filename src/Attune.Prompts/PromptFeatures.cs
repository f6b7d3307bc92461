using System.Text.Json.Nodes;

namespace Attune.Prompts;

/// <summary>What a template can do, found by rendering, not by reading.</summary>
public sealed record PromptFeatures
{
    /// <summary>Roles whose text reaches the render.</summary>
    public IReadOnlyList<string> Roles { get; init; } = [];

    /// <summary>A system message is rendered.</summary>
    public bool System { get; init; }

    /// <summary>Tool schemas are rendered.</summary>
    public bool Tools { get; init; }

    /// <summary>Reasoning of an assistant's last turn is rendered.</summary>
    public bool Reasoning { get; init; }

    /// <summary>Content in parts is rendered by its text, not as Python prints a list.</summary>
    public bool Parts { get; init; }

    /// <summary>Generation blocks mark what the assistant says.</summary>
    public bool Generation { get; init; }

    private const string Mark = "Zq7x";

    internal static PromptFeatures Of(ChatTemplate template, TemplateSettings settings)
    {
        var roles = new List<string>();
        foreach (var role in (ReadOnlySpan<string>)["system", "developer", "user", "assistant", "tool"])
        {
            if (Shows(role switch
            {
                "user" => [new("user", Mark)],
                "assistant" => [new("user", "a"), new("assistant", Mark)],
                "tool" => [new("user", "a"), Calling, new("tool", Mark) { Fields = new() { ["tool_call_id"] = "call00001", ["name"] = "f" } }],
                _ => [new(role, Mark), new("user", "a")],
            }))
                roles.Add(role);
        }
        var parts = new JsonObject { ["content"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = Mark }) };
        return new()
        {
            Roles = roles,
            System = roles.Contains("system"),
            Tools = Shows([new("user", "a")], new JsonArray(ToolNamed(Mark))),
            Reasoning = Shows([new("user", "a"), new("assistant", "b") { Fields = new() { ["reasoning_content"] = Mark } }]),
            Parts = Text([new("user", null) { Fields = parts }], null) is { } shown && shown.Contains(Mark, StringComparison.Ordinal) && !shown.Contains("'type'", StringComparison.Ordinal),
            Generation = Render([new("user", "a"), new("assistant", Mark)], null) is { GenerationSpans.Count: > 0 },
        };

        bool Shows(Message[] messages, JsonArray? tools = null) => Text(messages, tools)?.Contains(Mark, StringComparison.Ordinal) == true;

        string? Text(Message[] messages, JsonArray? tools) => Render(messages, tools)?.Text;

        TemplateRender? Render(Message[] messages, JsonArray? tools)
        {
            try
            {
                return template.Render(new Conversation(messages) { Tools = tools }, settings);
            }
            catch (TemplateException)
            {
                return null;
            }
        }
    }

    internal static Message Calling => new("assistant", "")
    {
        Fields = new()
        {
            ["tool_calls"] = new JsonArray(new JsonObject
            {
                ["id"] = "call00001",
                ["type"] = "function",
                ["function"] = new JsonObject { ["name"] = "f", ["arguments"] = new JsonObject { ["x"] = 1 } },
            }),
        },
    };

    internal static JsonObject ToolNamed(string name) => new()
    {
        ["type"] = "function",
        ["function"] = new JsonObject
        {
            ["name"] = name,
            ["description"] = "A function.",
            ["parameters"] = new JsonObject { ["type"] = "object", ["properties"] = new JsonObject { ["x"] = new JsonObject { ["type"] = "integer", ["description"] = "A number." } }, ["required"] = new JsonArray("x") },
        },
    };

    internal JsonObject ToJson() => new()
    {
        ["roles"] = new JsonArray([.. Roles.Select(r => (JsonNode)r)]),
        ["system"] = System,
        ["tools"] = Tools,
        ["reasoning"] = Reasoning,
        ["parts"] = Parts,
        ["generation"] = Generation,
    };

    internal static PromptFeatures FromJson(JsonObject json) => new()
    {
        Roles = [.. json["roles"]!.AsArray().Select(r => r!.GetValue<string>())],
        System = json["system"]!.GetValue<bool>(),
        Tools = json["tools"]!.GetValue<bool>(),
        Reasoning = json["reasoning"]!.GetValue<bool>(),
        Parts = json["parts"]!.GetValue<bool>(),
        Generation = json["generation"]!.GetValue<bool>(),
    };
}
