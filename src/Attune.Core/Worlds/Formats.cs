using System.Text.Encodings.Web;
using System.Text.Json;

namespace Attune.Core.Worlds;

/// <summary>The shapes that answers can be asked in: written here, and checked here.</summary>
internal static class Formats
{
    /// <summary>Readable JSON: letters of any script stand as they are.</summary>
    public static JsonSerializerOptions Options { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <summary>{"key": "value", "key": "value"}, with the spaces that people write.</summary>
    public static string Json(IReadOnlyList<(string Key, string Value)> facts) =>
        "{" + string.Join(", ", facts.Select(f => $"{Quote(f.Key)}: {Quote(f.Value)}")) + "}";

    /// <summary>Lines "- key: value".</summary>
    public static string List(IReadOnlyList<(string Key, string Value)> facts) =>
        string.Join('\n', facts.Select(f => $"- {f.Key}: {f.Value}"));

    /// <summary>"key = value; key = value".</summary>
    public static string Pairs(IReadOnlyList<(string Key, string Value)> facts) =>
        string.Join("; ", facts.Select(f => $"{f.Key} = {f.Value}"));

    /// <summary>Reads <see cref="Json"/>: an object of strings, in any order and spacing, or null.</summary>
    public static Dictionary<string, string>? ReadJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text.Trim());
            if (document.RootElement.ValueKind != JsonValueKind.Object) return null;
            var facts = new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var property in document.RootElement.EnumerateObject())
            {
                var value = property.Value.ValueKind switch
                {
                    JsonValueKind.String => property.Value.GetString()!,
                    JsonValueKind.Number => property.Value.GetRawText(),
                    _ => null,
                };
                if (value is null || !facts.TryAdd(property.Name, value)) return null;
            }
            return facts;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Reads <see cref="List"/>, or null where a line is no "- key: value".</summary>
    public static Dictionary<string, string>? ReadList(string text) =>
        Read(text.Trim().Split('\n'), line => line.StartsWith("- ", StringComparison.Ordinal) ? line[2..] : null, ": ");

    /// <summary>Reads <see cref="Pairs"/>, or null where a part is no "key = value".</summary>
    public static Dictionary<string, string>? ReadPairs(string text) =>
        text.Contains('\n') ? null : Read(text.Trim().Split("; "), part => part, " = ");

    private static Dictionary<string, string>? Read(string[] parts, Func<string, string?> body, string between)
    {
        var facts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in parts)
        {
            if (body(part.Trim()) is not { } fact || fact.Split(between) is not [var key, var value] || !facts.TryAdd(key.Trim(), value.Trim())) return null;
        }
        return facts;
    }

    private static string Quote(string text) => JsonSerializer.Serialize(text, Options);
}
