using System.Globalization;
using System.Text.Json;

using Attune.Core.Tokens.Models;

namespace Attune.Core.Tokens;

/// <summary>A place in tokenizer.json, which knows its file and its path, so that every error can say where.</summary>
internal readonly struct JsonField(JsonElement element, string? file, string path)
{
    public string? File => file;

    public string Path => path;

    public bool IsNull => element.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined;

    public JsonValueKind Kind => element.ValueKind;

    /// <summary>A property of an object; null or missing gives a field that <see cref="IsNull"/>.</summary>
    public JsonField this[string name]
    {
        get
        {
            if (element.ValueKind != JsonValueKind.Object)
                throw Bad("An object is expected here.");
            return new JsonField(element.TryGetProperty(name, out var value) ? value : default, file, path.Length == 0 ? name : $"{path}.{name}");
        }
    }

    public TokenException Bad(string message) => TokenException.Bad(file, path, message);

    public TokenException Unsupported(string kind) => TokenException.Unsupported(file, path, kind);

    public string Text()
    {
        if (element.ValueKind != JsonValueKind.String)
            throw Bad("A text is expected here.");
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Bad("The text is not valid Unicode.");
        }
    }

    public string? TextOrNull() => IsNull ? null : Text();

    public string TextOr(string missing) => IsNull ? missing : Text();

    public bool Flag(bool missing = false) => element.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.Null or JsonValueKind.Undefined => missing,
        _ => throw Bad("true or false is expected here."),
    };

    public int Whole(int least, int most)
    {
        if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt64(out var value))
            throw Bad("A whole number is expected here.");
        return value >= least && value <= most
            ? (int)value
            : throw Bad(string.Create(CultureInfo.InvariantCulture, $"{value} is outside {least} to {most}."));
    }

    public int Id() => Whole(0, Vocabulary.LargestId);

    public double Number() => element.ValueKind == JsonValueKind.Number && element.TryGetDouble(out var value) && double.IsFinite(value)
        ? value
        : throw Bad("A finite number is expected here.");

    public IEnumerable<JsonField> Items()
    {
        if (element.ValueKind != JsonValueKind.Array)
            throw Bad("A list is expected here.");
        var i = 0;
        foreach (var item in element.EnumerateArray())
            yield return new JsonField(item, file, string.Create(CultureInfo.InvariantCulture, $"{path}[{i++}]"));
    }

    public int Length => element.ValueKind == JsonValueKind.Array ? element.GetArrayLength() : throw Bad("A list is expected here.");

    public IEnumerable<KeyValuePair<string, JsonField>> Members()
    {
        if (element.ValueKind != JsonValueKind.Object)
            throw Bad("An object is expected here.");
        foreach (var member in element.EnumerateObject())
        {
            string name;
            try
            {
                name = member.Name;
            }
            catch (InvalidOperationException)
            {
                throw Bad("A name is not valid Unicode.");
            }
            yield return new(name, new JsonField(member.Value, file, $"{path}[\"{name}\"]"));
        }
    }
}
