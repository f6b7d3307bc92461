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

    /// <summary>A list, one fact a line.</summary>
    public static string List(PageWords pages, IReadOnlyList<(string Key, string Value)> facts) =>
        string.Join('\n', facts.Select(f => Fill(pages.Item, f)));

    /// <summary>Pairs on one line.</summary>
    public static string Pairs(PageWords pages, IEnumerable<(string Key, string Value)> facts) =>
        string.Join(pages.PairJoin, facts.Select(f => Fill(pages.Pair, f)));

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

    /// <summary>Reads <see cref="List"/>, or null where a line is no item of a list.</summary>
    public static Dictionary<string, string>? ReadList(PageWords pages, string text) => Read(text.Trim().Split('\n'), pages.Item);

    /// <summary>Reads <see cref="Pairs"/>, or null where a part is no pair.</summary>
    public static Dictionary<string, string>? ReadPairs(PageWords pages, string text) =>
        text.Contains('\n') ? null : Read(text.Trim().Split(pages.PairJoin), pages.Pair);

    private static Dictionary<string, string>? Read(string[] parts, string pattern)
    {
        var key = pattern.IndexOf("{k}", StringComparison.Ordinal);
        var before = pattern[..key];
        var between = pattern[(key + 3)..pattern.IndexOf("{v}", StringComparison.Ordinal)];
        var facts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in parts.Select(p => p.Trim()))
        {
            if (!part.StartsWith(before, StringComparison.Ordinal) || part[before.Length..].Split(between) is not [var name, var value] || !facts.TryAdd(name.Trim(), value.Trim())) return null;
        }
        return facts;
    }

    private static string Fill(string pattern, (string Key, string Value) fact) => pattern
        .Replace("{k}", fact.Key, StringComparison.Ordinal).Replace("{v}", fact.Value, StringComparison.Ordinal);

    private static string Quote(string text) => JsonSerializer.Serialize(text, Options);
}
