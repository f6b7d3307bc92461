using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Core.Options;

namespace Attune.Core.Data;

/// <summary>One JSON object of a data file, with the questions that every format asks of it.</summary>
internal readonly record struct JsonRow(string File, int Line, JsonElement Element)
{
    public RowOrigin Origin => new(File, Line, Text("kind"));

    public IEnumerable<string> Keys => Element.ValueKind == JsonValueKind.Object ? Element.EnumerateObject().Select(p => p.Name) : [];

    /// <summary>The value, or null where it is absent or null.</summary>
    public JsonElement? Find(string field) =>
        Element.ValueKind == JsonValueKind.Object && Element.TryGetProperty(field, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public bool Has(string field) => Find(field) is not null;

    public JsonElement Require(string field) => Find(field) ?? throw Missing(field);

    public string? Text(string field) => Find(field) is { } value ? Text(value, field) : null;

    public string RequireText(string field) => Text(Require(field), field);

    public string Text(JsonElement value, string field)
    {
        if (value.ValueKind != JsonValueKind.String)
            throw WrongType(field, "a text", value);
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw Fail("ATT3003", "The text holds half of a surrogate pair, which is no character.", field, null, e);
        }
    }

    /// <summary>Refuses half surrogate pairs (JSON can spell them, text cannot hold them) wherever they stand in a value.</summary>
    public void RefuseHalfPairs(JsonElement value, string? field)
    {
        if (!value.GetRawText().Contains("\\ud", StringComparison.OrdinalIgnoreCase))
            return;
        if (value.ValueKind == JsonValueKind.String)
            Text(value, field ?? "row");
        else if (value.ValueKind == JsonValueKind.Array)
            foreach (var item in value.EnumerateArray())
                RefuseHalfPairs(item, field);
        else
            foreach (var property in value.EnumerateObject())
                    RefuseHalfPairs(property.Value, field ?? property.Name);
    }

    public bool RequireBool(string field) => Require(field) is { ValueKind: JsonValueKind.True or JsonValueKind.False } value
        ? value.GetBoolean()
        : throw WrongType(field, "true or false", Require(field));

    public double RequireNumber(string field) => Number(Require(field), field);

    /// <summary>A finite number: NaN (as text) and what overflows a double are refused by name.</summary>
    public double Number(JsonElement value, string field)
    {
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number))
            return double.IsFinite(number) ? number : throw NotFinite(field);
        throw value.ValueKind == JsonValueKind.String && value.GetString()!.TrimStart('-', '+').ToLowerInvariant() is "nan" or "inf" or "infinity"
            ? NotFinite(field)
            : WrongType(field, "a number", value);
    }

    private DataException NotFinite(string field) =>
        Fail("ATT2401", "The number is not finite.", field, "A score that is NaN or infinite says nothing about the answer; remove the row.");

    public JsonElement.ArrayEnumerator Items(JsonElement value, string field) => value.ValueKind == JsonValueKind.Array
        ? value.EnumerateArray()
        : throw WrongType(field, "a list", value);

    /// <summary>Refuses a field whose name is nearly, but not quite, one that the row lacks: it would be lost in silence.</summary>
    public void RefuseTypos(params ReadOnlySpan<string> known)
    {
        foreach (var key in Keys)
        {
            if (known.Contains(key))
                continue;
            foreach (var name in known)
            {
                if (!Element.TryGetProperty(name, out _) && Nearest.IsTypo(key, name))
                    throw Fail("ATT3008", $"There is no field '{key}'.", key, $"Did you mean '{name}'?");
            }
        }
    }

    public DataException Missing(string field)
    {
        var near = Keys.FirstOrDefault(k => Nearest.IsTypo(k, field));
        return Fail("ATT3006", $"The field '{field}' is missing.", field,
            near is null ? $"The row has: {string.Join(", ", Keys)}." : $"The row has '{near}': did you mean '{field}'?");
    }

    public DataException WrongType(string field, string expected, JsonElement value) =>
        Fail("ATT3007", $"{expected} is expected, not {value.ValueKind.ToString().ToLowerInvariant()}.", field, null);

    public DataException Fail(string code, string message, string? field, string? hint, Exception? inner = null) =>
        new(code, message, inner) { File = File, Line = Line, Field = field, Hint = hint };

    /// <summary>A JSON value as a node of its own.</summary>
    public static JsonNode? Node(JsonElement value) => JsonNode.Parse(value.GetRawText());
}
