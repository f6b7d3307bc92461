using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Attune.Core.Checkpoints;

/// <summary>
/// The JSON of Hugging Face's config files: read with care, written with the bytes that Python's
/// <c>json.dumps(x, indent=2, sort_keys=True)</c> gives, so that a file of ours and one of theirs can be compared.
/// </summary>
public static class HuggingFaceJson
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 32, AllowDuplicateProperties = false };

    /// <summary>Reads a file that holds one JSON object.</summary>
    /// <exception cref="CheckpointException">ATT2003: no such file; ATT2020: not a JSON object.</exception>
    public static JsonObject Read(string path)
    {
        try
        {
            var json = JsonNode.Parse(File.ReadAllBytes(path), documentOptions: Strict) as JsonObject
                ?? throw new CheckpointException("ATT2020", "The file is not a JSON object.") { File = path };
            Decode(json);
            return json;
        }
        catch (InvalidOperationException e)
        {
            throw new CheckpointException("ATT2020", "The file holds text that is not Unicode.", e) { File = path, Hint = "Save it as UTF-8." };
        }
        catch (JsonException e)
        {
            throw new CheckpointException("ATT2020", $"The file is not JSON: {e.Message}", e) { File = path, Line = (int?)(e.LineNumber + 1) };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException("ATT2003", $"The file cannot be read: {e.Message}", e) { File = path };
        }
    }

    /// <summary>Writes an object as Python would, keys sorted, with a line feed at the end.</summary>
    public static string Format(JsonObject value)
    {
        var text = new StringBuilder();
        Append(text, value, 0);
        return text.Append('\n').ToString();
    }

    // Texts are decoded when they are first asked for; a broken one must be found here, not wherever that is.
    private static void Decode(JsonNode? node)
    {
        switch (node)
        {
            case JsonObject map:
                foreach (var (_, value) in map)
                    Decode(value);
                break;
            case JsonArray list:
                foreach (var item in list)
                    Decode(item);
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                _ = value.GetValue<string>();
                break;
            default:
                break;
        }
    }

    private static void Append(StringBuilder text, JsonNode? node, int depth)
    {
        switch (node)
        {
            case JsonObject { Count: > 0 } map:
                AppendAll(text, map.OrderBy(p => p.Key, StringComparer.Ordinal), depth, '{', '}', pair =>
                {
                    AppendText(text, pair.Key);
                    text.Append(": ");
                    Append(text, pair.Value, depth + 1);
                });
                break;
            case JsonArray { Count: > 0 } list:
                AppendAll(text, list, depth, '[', ']', item => Append(text, item, depth + 1));
                break;
            case JsonObject:
                text.Append("{}");
                break;
            case JsonArray:
                text.Append("[]");
                break;
            case null:
                text.Append("null");
                break;
            case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                AppendText(text, value.GetValue<string>());
                break;
            case JsonValue value when value.TryGetValue<double>(out var number) && !value.TryGetValue<long>(out _):
                text.Append(PythonFloat(number));
                break;
            case JsonValue value when value.TryGetValue<float>(out var number) && !value.TryGetValue<long>(out _):
                text.Append(PythonFloat(number));
                break;
            default:
                text.Append(node.ToJsonString());
                break;
        }
    }

    private static void AppendAll<T>(StringBuilder text, IEnumerable<T> items, int depth, char open, char close, Action<T> append)
    {
        text.Append(open);
        var first = true;
        foreach (var item in items)
        {
            text.Append(first ? "\n" : ",\n").Append(' ', 2 * (depth + 1));
            append(item);
            first = false;
        }
        text.Append('\n').Append(' ', 2 * depth).Append(close);
    }

    // Python escapes everything beyond ASCII, with small hex digits.
    private static void AppendText(StringBuilder text, string value)
    {
        text.Append('"');
        foreach (var c in value)
        {
            _ = c switch
            {
                '"' => text.Append("\\\""),
                '\\' => text.Append("\\\\"),
                '\n' => text.Append("\\n"),
                '\r' => text.Append("\\r"),
                '\t' => text.Append("\\t"),
                '\b' => text.Append("\\b"),
                '\f' => text.Append("\\f"),
                < ' ' or > '~' => text.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => text.Append(c),
            };
        }
        text.Append('"');
    }

    /// <summary>Python's repr of a float: 1e-05, 10000.0, 1e+16.</summary>
    public static string PythonFloat(double value)
    {
        // Both languages print the fewest digits that give the value back; they differ in when powers of ten begin.
        var shortest = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture);
        var e = shortest.IndexOf('E', StringComparison.Ordinal);
        var power = e < 0 ? 0 : int.Parse(shortest.AsSpan(e + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var mantissa = e < 0 ? shortest : shortest[..e];
        var dot = mantissa.IndexOf('.', StringComparison.Ordinal);
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        var leading = digits.Length - digits.TrimStart('0').Length;
        var point = (dot < 0 ? digits.Length : dot) + power - leading;
        digits = digits.Trim('0');
        if (digits.Length == 0)
            (digits, point) = ("0", 1);
        var sign = double.IsNegative(value) ? "-" : "";
        if (point is > 16 or < -3)
        {
            var fraction = digits.Length > 1 ? $".{digits[1..]}" : "";
            return string.Create(CultureInfo.InvariantCulture, $"{sign}{digits[0]}{fraction}e{(point > 0 ? '+' : '-')}{Math.Abs(point - 1):00}");
        }
        if (point <= 0)
            return $"{sign}0.{new string('0', -point)}{digits}";
        digits = digits.PadRight(point + 1, '0');
        return $"{sign}{digits[..point]}.{digits[point..]}";
    }
}
