using System.Globalization;
using System.Numerics;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Attune.Prompts.Jinja;

/// <summary>JSON as Python's values, every string with the path that it came by.</summary>
internal static class Values
{
    private const int MaxDepth = 256;

    public static object? From(JsonNode? node, SourceKind kind, int message, string path, bool trusted, int depth = 0)
    {
        if (depth > MaxDepth)
            throw Bad(path, message, $"is nested deeper than {MaxDepth}");
        try
        {
            switch (node)
            {
                case null:
                    return null;
                case JsonObject o:
                    var dict = new PyDictBuilder(o.Count);
                    foreach (var (name, value) in o)
                    {
                        var below = path.Length == 0 ? name : path + "." + name;
                        dict.Set(Text(name, kind, message, below, trusted), From(value, kind, message, below, trusted, depth + 1));
                    }
                    return dict.Build(new Origin(kind, message, path, trusted: trusted));
                case JsonArray a:
                    var items = new object?[a.Count];
                    for (var i = 0; i < items.Length; i++)
                        items[i] = From(a[i], kind, message, FormattableString.Invariant($"{path}[{i}]"), trusted, depth + 1);
                    return new PyList(items, new Origin(kind, message, path, trusted: trusted));
                default:
                    return Scalar((JsonValue)node, kind, message, path, trusted);
            }
        }
        catch (Exception e) when (e is InvalidOperationException or ArgumentException or FormatException or JsonException)
        {
            throw Bad(path, message, "is not valid JSON text: " + e.Message);
        }
    }

    private static object? Scalar(JsonValue node, SourceKind kind, int message, string path, bool trusted)
    {
        switch (node.GetValueKind())
        {
            case JsonValueKind.String:
                return Text(node.TryGetValue<string>(out var s) ? s : node.ToString(), kind, message, path, trusted);
            case JsonValueKind.True:
                return Py.True;
            case JsonValueKind.False:
                return Py.False;
            case JsonValueKind.Null:
                return null;
        }
        if (node.TryGetValue<long>(out var small) && node.GetValue<object>() is not (double or float or decimal) && !IsFloat(node))
            return PyNumber.Int(small);
        if (node.TryGetValue<double>(out var native) && node.GetValue<object>() is double or float)
            return native;
        var raw = node.ToJsonString();
        if (raw.AsSpan().IndexOfAny('.', 'e', 'E') < 0)
        {
            return raw.Length <= PyNumber.MaxDigits ? PyNumber.Int(BigInteger.Parse(raw, CultureInfo.InvariantCulture))
                : throw Bad(path, message, $"is an integer of more than {PyNumber.MaxDigits} digits");
        }
        return double.Parse(raw, CultureInfo.InvariantCulture);
    }

    private static bool IsFloat(JsonValue node) => node.TryGetValue<JsonElement>(out var element) && element.GetRawText().AsSpan().IndexOfAny('.', 'e', 'E') >= 0;

    public static PyStr Text(string text, SourceKind kind, int message, string path, bool trusted)
    {
        var lone = CodePoints.LoneSurrogate(text);
        if (lone >= 0)
            throw Bad(path, message, FormattableString.Invariant($"is not valid UTF-16: character {lone} is a surrogate without its pair"));
        return new PyStr(text, new Origin(kind, message, path, trusted: trusted));
    }

    public static TemplateException Bad(string path, int message, string what)
    {
        var field = message < 0 ? path : FormattableString.Invariant($"messages[{message}].{path}");
        return new TemplateException("ATT1010", "ValueError", TemplatePhase.Input, $"{field} {what}.", null, null) { Field = field, Hint = "Correct the conversation that was given." };
    }
}
