using System.Text.Json.Nodes;

namespace Attune.Prompts;

/// <summary>Everything that a contract holds, and its JSON.</summary>
internal sealed record ContractParts
{
    public required string Name { get; init; }
    public required string Template { get; init; }
    public required IReadOnlyDictionary<string, string> SpecialTokens { get; init; }
    public required IReadOnlyDictionary<string, int> SpecialTokenIds { get; init; }
    public required IReadOnlyList<string> StopTexts { get; init; }
    public required IReadOnlyList<int> StopIds { get; init; }
    public required string GenerationPrompt { get; init; }
    public required ClockPolicy Clock { get; init; }
    public required PromptFeatures Features { get; init; }
    public required string TokenizerDigest { get; init; }
    public required IReadOnlyList<GoldenRender> Golden { get; init; }

    public JsonObject ToJson() => new()
    {
        ["schema"] = 1,
        ["name"] = Name,
        ["template"] = Template,
        ["special_tokens"] = Sorted(SpecialTokens, t => (JsonNode)t),
        ["special_token_ids"] = Sorted(SpecialTokenIds, t => (JsonNode)t),
        ["stop_tokens"] = new JsonArray([.. StopTexts.Select(t => (JsonNode)t)]),
        ["stop_ids"] = new JsonArray([.. StopIds.Select(t => (JsonNode)t)]),
        ["generation_prompt"] = GenerationPrompt,
        ["clock"] = Clock.Text,
        ["features"] = Features.ToJson(),
        ["tokenizer_digest"] = TokenizerDigest,
        ["golden"] = new JsonArray([.. Golden.Select(g => (JsonNode)new JsonObject
        {
            ["name"] = g.Name,
            ["text"] = g.Text,
            ["ids"] = g.Ids is null ? null : new JsonArray([.. g.Ids.Select(i => (JsonNode)i)]),
            ["error"] = g.Error,
        })]),
    };

    public static ContractParts FromJson(JsonObject json) => new()
    {
        Name = json["name"]!.GetValue<string>(),
        Template = json["template"]!.GetValue<string>(),
        SpecialTokens = json["special_tokens"]!.AsObject().ToDictionary(t => t.Key, t => t.Value!.GetValue<string>(), StringComparer.Ordinal),
        SpecialTokenIds = json["special_token_ids"]!.AsObject().ToDictionary(t => t.Key, t => t.Value!.GetValue<int>(), StringComparer.Ordinal),
        StopTexts = [.. json["stop_tokens"]!.AsArray().Select(t => t!.GetValue<string>())],
        StopIds = [.. json["stop_ids"]!.AsArray().Select(t => t!.GetValue<int>())],
        GenerationPrompt = json["generation_prompt"]!.GetValue<string>(),
        Clock = ClockPolicy.Parse(json["clock"]!.GetValue<string>()),
        Features = PromptFeatures.FromJson(json["features"]!.AsObject()),
        TokenizerDigest = json["tokenizer_digest"]!.GetValue<string>(),
        Golden = [.. json["golden"]!.AsArray().Select(g => new GoldenRender(
            g!["name"]!.GetValue<string>(),
            g["text"]?.GetValue<string>(),
            g["ids"]?.AsArray().Select(i => i!.GetValue<int>()).ToArray(),
            g["error"]?.GetValue<string>()))],
    };

    private static JsonObject Sorted<TValue>(IReadOnlyDictionary<string, TValue> entries, Func<TValue, JsonNode> node)
    {
        var json = new JsonObject();
        foreach (var (name, value) in entries.OrderBy(e => e.Key, StringComparer.Ordinal))
            json[name] = node(value);
        return json;
    }
}
