using System.Text.Json;
using System.Text.Json.Nodes;

namespace Attune.Core.Checkpoints;

/// <summary>
/// Reads a config key by key, checks each value, and remembers which keys were read: whatever is left at the end,
/// is not null and is not known to change nothing is refused, because a model run without it would be another model.
/// </summary>
internal sealed class ConfigReader(JsonObject json, string path, string prefix = "")
{
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    /// <summary>How many keys there are.</summary>
    public int Count => json.Count;

    /// <summary>Whether the key is there with a value.</summary>
    public bool Has(string key) => Node(key) is not null;

    /// <summary>A whole number between <paramref name="least"/> and <paramref name="most"/>; the default where the key is absent or null.</summary>
    public int Int(string key, int? whenAbsent = null, int least = 1, int most = int.MaxValue) => Node(key) switch
    {
        null => whenAbsent ?? throw Missing(key),
        JsonValue value when value.TryGetValue<int>(out var number) && number >= least && number <= most => number,
        var other => throw Wrong(key, $"a whole number from {least} to {most}", other),
    };

    /// <summary>A whole number of at least one, null where the key is null, the default where it is absent.</summary>
    public int? IntOrNull(string key, int? whenAbsent) => json.ContainsKey(key) ? (Has(key) ? Int(key) : null) : whenAbsent;

    /// <summary>A number greater than zero, null where the key is null, the default where it is absent.</summary>
    public double? NumberOrNull(string key, double? whenAbsent) => json.ContainsKey(key) ? (Has(key) ? Positive(key) : null) : whenAbsent;

    /// <summary>A finite number greater than zero.</summary>
    public double Positive(string key, double? whenAbsent = null) => Node(key) switch
    {
        null => whenAbsent ?? throw Missing(key),
        JsonValue value when value.GetValueKind() == JsonValueKind.Number && value.TryGetValue<double>(out var number) && double.IsFinite(number) && number > 0 => number,
        var other => throw Wrong(key, "a number greater than 0", other),
    };

    /// <summary>A finite number, or null.</summary>
    public double? Number(string key) => Node(key) switch
    {
        null => null,
        JsonValue value when value.GetValueKind() == JsonValueKind.Number && value.TryGetValue<double>(out var number) && double.IsFinite(number) => number,
        var other => throw Wrong(key, "a number", other),
    };

    /// <summary>A list of finite numbers, or null.</summary>
    public IReadOnlyList<double>? Numbers(string key) => Node(key) switch
    {
        null => null,
        JsonArray list => [.. list.Select(item => item is JsonValue value && value.GetValueKind() == JsonValueKind.Number && value.TryGetValue<double>(out var number) && double.IsFinite(number)
            ? number
            : throw Wrong(key, "a list of numbers", list))],
        var other => throw Wrong(key, "a list of numbers", other),
    };

    /// <summary>A list of texts, or null.</summary>
    public IReadOnlyList<string>? Texts(string key) => Node(key) switch
    {
        null => null,
        JsonArray list => [.. list.Select(item => item is JsonValue value && value.TryGetValue<string>(out var text) ? text : throw Wrong(key, "a list of texts", list))],
        var other => throw Wrong(key, "a list of texts", other),
    };

    /// <summary>A list of names, one expression, or neither.</summary>
    public Adapters.ModuleNames TextsOrText(string key) => Node(key) is JsonArray ? new(Texts(key)!) : new([], Text(key));

    /// <summary>A whole number, a list of them, or null.</summary>
    public IReadOnlyList<int>? Ints(string key) => Node(key) switch
    {
        null => null,
        JsonArray list => list.Count == 0 ? null : [.. list.Select(item => item is JsonValue value && value.TryGetValue<int>(out var number) ? number : throw Wrong(key, "whole numbers", list))],
        _ => [Int(key, least: 0)],
    };

    /// <summary>An object of finite numbers, in its order; none where the key is absent or null.</summary>
    public IEnumerable<KeyValuePair<string, double>> NumbersByName(string key)
    {
        if (Node(key) is not { } node)
            yield break;
        var inner = Object(key) ?? throw Wrong(key, "an object", node);
        foreach (var name in node.AsObject().Select(p => p.Key))
            yield return KeyValuePair.Create(name, inner.Number(name) ?? throw Wrong($"{key}.{name}", "a number", null));
    }

    /// <summary>True or false.</summary>
    public bool Flag(string key, bool whenAbsent = false) => Node(key) switch
    {
        null => whenAbsent,
        JsonValue value when value.TryGetValue<bool>(out var flag) => flag,
        var other => throw Wrong(key, "true or false", other),
    };

    /// <summary>A text, or null.</summary>
    public string? Text(string key) => Node(key) switch
    {
        null => null,
        JsonValue value when value.TryGetValue<string>(out var text) => text,
        var other => throw Wrong(key, "a text", other),
    };

    /// <summary>A token id, null where the key is null, the default where it is absent.</summary>
    public int? TokenId(string key, int? whenAbsent) => json.ContainsKey(key) ? (Has(key) ? Int(key, least: 0) : null) : whenAbsent;

    /// <summary>Token ids: a number, a list of numbers, or none.</summary>
    public IReadOnlyList<int> TokenIds(string key, int? whenAbsent)
    {
        if (Node(key) is JsonArray list)
            return [.. list.Select(item => item is JsonValue value && value.TryGetValue<int>(out var id) && id >= 0 ? id : throw Wrong(key, "token ids", list))];
        return TokenId(key, whenAbsent) is { } single ? [single] : [];
    }

    /// <summary>The object under a key, read by the same rules; null where there is none.</summary>
    public ConfigReader? Object(string key) => Node(key) switch
    {
        null => null,
        JsonObject inner => new(inner, path, $"{prefix}{key}."),
        var other => throw Wrong(key, "an object", other),
    };

    /// <summary>Refuses a value that asks for what Attune cannot do.</summary>
    public void Only(string key, string why, params ReadOnlySpan<JsonNode?> allowed)
    {
        if (Node(key) is not { } node)
            return;
        foreach (var value in allowed)
        {
            if (JsonNode.DeepEquals(value, node))
                return;
        }
        throw Unsupported(key, $"{node.ToJsonString()}: {why}");
    }

    /// <summary>Refuses every key that was not read, is not null and is not in the list of those that change nothing.</summary>
    public void RefuseTheRest(IReadOnlySet<string> changeNothing)
    {
        foreach (var (key, value) in json)
        {
            if (value is not null && !_read.Contains(key) && !changeNothing.Contains(key))
                throw Unsupported(key, $"this key is not known, and a model run without it could be another model (its value is {Short(value)})");
        }
    }

    /// <summary>
    /// What the file has in place of the given values, as JSON, or null where it has nothing else; the keys count as read.
    /// Older files may write a key without the underscore that it begins with.
    /// </summary>
    public string? KeptOf(JsonObject usual)
    {
        var kept = new JsonObject();
        foreach (var (key, value) in usual)
        {
            if ((Node(key) ?? Node(key.TrimStart('_'))) is { } here && !JsonNode.DeepEquals(here, value))
                kept[key] = here.DeepClone();
        }
        return kept.Count == 0 ? null : kept.ToJsonString();
    }

    /// <summary>The error for a value that is sound but not supported.</summary>
    public UnsupportedCheckpointException Unsupported(string key, string message) => new($"Not supported: {message}.") { File = path, Field = prefix + key };

    /// <summary>The error for a value that cannot be right.</summary>
    public CheckpointException Impossible(string key, string message) => new("ATT2021", message) { File = path, Field = prefix + key };

    private JsonNode? Node(string key)
    {
        _read.Add(key);
        return json[key];
    }

    private CheckpointException Missing(string key) => Impossible(key, "The config lacks this key.");

    private CheckpointException Wrong(string key, string wanted, JsonNode? found) => Impossible(key, FormattableString.Invariant($"Must be {wanted}, not {Short(found)}."));

    private static string Short(JsonNode? node) => node?.ToJsonString() is { Length: > 80 } text ? text[..80] + "…" : node?.ToJsonString() ?? "null";
}
