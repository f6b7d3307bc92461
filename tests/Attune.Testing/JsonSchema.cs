using System.Text.Json.Nodes;

namespace Attune.Testing;

/// <summary>
/// As much of JSON Schema 2020-12 as docs/report.schema.json uses. A keyword that it does not know is an error, so that
/// the schema cannot ask for what nobody checks.
/// </summary>
public static class JsonSchema
{
    /// <summary>What is wrong with a value, each with its place; empty where it is valid.</summary>
    public static IReadOnlyList<string> Faults(JsonObject schema, JsonNode? value)
    {
        var faults = new List<string>();
        // As a reader of the file has it: a node that was built holds C# numbers, one that was parsed holds JSON's.
        Check(schema, schema, JsonNode.Parse(value?.ToJsonString() ?? "null"), "$", faults);
        return faults;
    }

    private static void Check(JsonObject root, JsonObject schema, JsonNode? value, string at, List<string> faults)
    {
        foreach (var (keyword, argument) in schema)
        {
            var fault = keyword switch
            {
                "$schema" or "$id" or "$defs" or "title" or "description" => null,
                "type" => Types(argument!).Any(type => Is(type, value)) ? null : $"is no {argument!.ToJsonString()}",
                "const" => JsonNode.DeepEquals(argument, value) ? null : $"is not {argument!.ToJsonString()}",
                "minLength" => value is JsonValue v && v.TryGetValue<string>(out var text) && text.Length < (int)argument! ? "is too short" : null,
                "minimum" => value is JsonValue v && Is("number", value) && (double)v < (double)argument! ? "is too small" : null,
                "minProperties" => value is JsonObject o && o.Count < (int)argument! ? "has too few fields" : null,
                "required" => value is JsonObject o && argument!.AsArray().Select(f => (string)f!).Where(f => !o.ContainsKey(f)).ToList() is { Count: > 0 } missing
                    ? $"lacks {string.Join(", ", missing)}" : null,
                "$ref" => Into(() => Check(root, Resolve(root, (string)argument!), value, at, faults)),
                "items" => Into(() => Each(value as JsonArray, (item, i) => Check(root, argument!.AsObject(), item, $"{at}[{i}]", faults))),
                "properties" => Into(() => Fields(value, (name, field) => { if (argument![name] is JsonObject s) Check(root, s, field, $"{at}.{name}", faults); })),
                "additionalProperties" => Into(() => Fields(value, (name, field) =>
                {
                    if (schema["properties"]?[name] is not null) return;
                    if (argument is JsonObject s) Check(root, s, field, $"{at}.{name}", faults);
                    else if (!(bool)argument!) faults.Add($"{at} has an unknown field {name}");
                })),
                _ => throw new NotSupportedException($"This validator does not know the keyword {keyword}."),
            };
            if (fault is not null) faults.Add($"{at} {fault}");
        }
    }

    private static string? Into(Action check)
    {
        check();
        return null;
    }

    private static void Each(JsonArray? array, Action<JsonNode?, int> check)
    {
        for (var i = 0; i < (array?.Count ?? 0); i++) check(array![i], i);
    }

    private static void Fields(JsonNode? value, Action<string, JsonNode?> check)
    {
        foreach (var (name, field) in value as JsonObject ?? []) check(name, field);
    }

    private static JsonObject Resolve(JsonObject root, string reference) =>
        reference.StartsWith("#/", StringComparison.Ordinal)
            ? reference[2..].Split('/').Aggregate((JsonNode)root, (node, step) => node[step]!).AsObject()
            : throw new NotSupportedException($"This validator does not know the reference {reference}.");

    private static IEnumerable<string> Types(JsonNode type) => type is JsonArray several ? several.Select(t => (string)t!) : [(string)type!];

    private static bool Is(string type, JsonNode? value) => type switch
    {
        "null" => value is null,
        "object" => value is JsonObject,
        "array" => value is JsonArray,
        "string" => value?.GetValueKind() == System.Text.Json.JsonValueKind.String,
        "number" => value?.GetValueKind() == System.Text.Json.JsonValueKind.Number,
        "integer" => value?.GetValueKind() == System.Text.Json.JsonValueKind.Number && double.IsInteger((double)value),
        "boolean" => value?.GetValueKind() is System.Text.Json.JsonValueKind.True or System.Text.Json.JsonValueKind.False,
        _ => throw new NotSupportedException($"This validator does not know the type {type}."),
    };
}
