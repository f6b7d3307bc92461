using System.Text.Json;
using System.Text.Json.Nodes;

namespace Attune.Prompts;

/// <summary>Reads what a Hugging Face folder says about prompts.</summary>
internal static class ContractFiles
{
    public static PromptContract Read(string? tokenizerConfigJson, string? chatTemplate, ITokenEncoder encoder)
    {
        ArgumentNullException.ThrowIfNull(encoder);
        var config = Parse(tokenizerConfigJson);
        var tokens = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in config)
        {
            if (name.EndsWith("_token", StringComparison.Ordinal) && TokenText(value) is { Length: > 0 } text)
                tokens[name] = text;
        }
        var template = chatTemplate ?? Template(config["chat_template"]);
        if (template is null)
            return ContractBuilder.Build("base", BuiltInTemplates.Base, WithEos(tokens), [], encoder, null);
        return ContractBuilder.Build("chat_template", template, tokens, Stops(template, tokens, encoder), encoder, null);
    }

    private static Dictionary<string, string> WithEos(Dictionary<string, string> tokens)
    {
        tokens.TryAdd("eos_token", "");
        return tokens;
    }

    private static JsonObject Parse(string? json)
    {
        if (json is null)
            return [];
        try
        {
            return JsonNode.Parse(json) as JsonObject ?? throw new JsonException("it is not an object");
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            throw new PromptException("ATT1104", "tokenizer_config.json cannot be read: " + e.Message, e) { File = "tokenizer_config.json" };
        }
    }

    /// <summary>A token is written as its text, or as an object with its text in content.</summary>
    private static string? TokenText(JsonNode? value) => value switch
    {
        JsonValue v when v.TryGetValue<string>(out var text) => text,
        JsonObject o => TokenText(o["content"]),
        _ => null,
    };

    /// <summary>One template, or a list of named ones of which "default" counts.</summary>
    private static string? Template(JsonNode? value) => value switch
    {
        JsonValue v when v.TryGetValue<string>(out var text) => text,
        JsonArray list => list.OfType<JsonObject>().Where(t => t["name"]?.GetValue<string>() == "default").Concat(list.OfType<JsonObject>())
            .Select(t => t["template"]?.GetValue<string>()).FirstOrDefault(t => t is not null),
        _ => null,
    };

    /// <summary>The added token that a training render puts right after the assistant's last words, if it puts one.</summary>
    private static List<string> Stops(string template, Dictionary<string, string> tokens, ITokenEncoder encoder)
    {
        const string answer = "Zq7x.";
        try
        {
            var text = ChatTemplate.Parse(template).Render(new Conversation([new("user", "Hi"), new("assistant", answer)]), new() { SpecialTokens = tokens, AddGenerationPrompt = false }).Text;
            var at = text.LastIndexOf(answer, StringComparison.Ordinal);
            if (at < 0)
                return [];
            var rest = text[(at + answer.Length)..].TrimStart();
            var stop = encoder.AddedTokens.Keys.Where(t => t.Trim().Length > 0 && rest.StartsWith(t, StringComparison.Ordinal)).MaxBy(t => t.Length);
            return stop is null ? [] : [stop];
        }
        catch (TemplateException)
        {
            return [];
        }
    }
}
