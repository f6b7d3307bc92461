using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Reflection;
using System.Text.Json.Nodes;

namespace Attune.Core.Options;

/// <summary>Layers of options → an options record → JSON. Presets lie lowest, then the recipe, then flags.</summary>
public static class OptionsBinder
{
    /// <summary>A record with the layers laid over the preset, later ones over earlier ones. The preset itself is not changed.</summary>
    /// <exception cref="OptionsException">
    /// ATT4001 an unknown key, ATT4002 a value of the wrong kind, ATT4003 a number out of its [Range], ATT4004 a required option in no layer.
    /// </exception>
    public static T Bind<T>(T? preset, params ReadOnlySpan<OptionLayer> layers)
        where T : class
    {
        var bound = preset is null ? OptionsSchema.New(typeof(T)) : Copy(preset);
        var given = new HashSet<string>(StringComparer.Ordinal);
        foreach (var layer in layers)
            Apply(bound, OptionsSchema.Of<T>(), layer.Root, layer.Source, given);
        if (preset is null)
            RefuseMissing(OptionsSchema.Of<T>(), given, layers.Length > 0 ? layers[^1].Source : null, null);
        return (T)bound;
    }

    /// <summary>Binds values by key or flag (see <see cref="OptionLayer.FromValues"/>).</summary>
    /// <inheritdoc cref="Bind{T}(T, ReadOnlySpan{OptionLayer})"/>
    public static T Bind<T>(IReadOnlyDictionary<string, object?> values, string source, T? preset = null)
        where T : class => Bind(preset, OptionLayer.FromValues(values, source));

    /// <summary>Binds a YAML mapping.</summary>
    /// <inheritdoc cref="Bind{T}(T, ReadOnlySpan{OptionLayer})"/>
    public static T FromYaml<T>(string yaml, string source, T? preset = null)
        where T : class => Bind(preset, OptionLayer.FromYaml(yaml, source));

    /// <summary>Binds JSON: what <see cref="ToJson"/> wrote comes back equal.</summary>
    /// <inheritdoc cref="Bind{T}(T, ReadOnlySpan{OptionLayer})"/>
    public static T FromJson<T>(JsonObject json, string source, T? preset = null)
        where T : class => Bind(preset, OptionLayer.FromJson(json, source));

    /// <summary>Every option under its YAML key, in the order of declaration, defaults included: equal records give equal bytes.</summary>
    public static JsonObject ToJson(object options)
    {
        var json = new JsonObject();
        foreach (var field in OptionsSchema.Of(options.GetType()))
            json[field.Key] = ToNode(field, field.Property.GetValue(options));
        return json;
    }

    private static JsonNode? ToNode(OptionField field, object? value) => (field.Kind, value) switch
    {
        (_, null) => null,
        (OptionKind.Record, _) => ToJson(value),
        (OptionKind.TextList, IEnumerable<string> list) => new JsonArray([.. list.Select(t => (JsonNode)JsonValue.Create(t)!)]),
        (_, bool flag) => JsonValue.Create(flag),
        (_, int number) => JsonValue.Create(number),
        (_, long number) => JsonValue.Create(number),
        (_, double number) => JsonValue.Create(number),
        _ => JsonValue.Create(OptionText.Of(value)),
    };

    private static void Apply(object target, IReadOnlyList<OptionField> fields, OptionLayer.Node map, string source, HashSet<string> given)
    {
        foreach (var (key, value) in map.Map!)
        {
            var field = Find(fields, key) ?? throw OptionsException.Unknown(key, Spellings(fields, key), source, value.Line);
            var owner = Owner(target, fields, field);
            given.Add(field.Path);
            if (field.Kind == OptionKind.Record && value.Content is not null)
            {
                if (value.Map is null)
                    throw OptionsException.BadValue(key, value.Text ?? "a list", "a mapping of options", source, value.Line);
                var nested = field.Property.GetValue(owner) is { } now ? Copy(now) : OptionsSchema.New(field.Type);
                Apply(nested, field.Fields, value, source, given);
                field.Property.SetValue(owner, nested);
            }
            else
            {
                field.Property.SetValue(owner, Parse(field, key, value, source));
            }
        }
    }

    private static OptionField? Find(IReadOnlyList<OptionField> fields, string key)
    {
        foreach (var field in fields)
        {
            if (field.Key == key || field.Flag == key || field.Path == key)
                return field;
            if (field.Kind == OptionKind.Record && (key.StartsWith("--", StringComparison.Ordinal) || key.Contains('.')) && Find(field.Fields, key) is { } nested)
                return nested;
        }
        return null;
    }

    // The record that holds the field, copied on the way down so that a preset's nested records stay as they are.
    private static object Owner(object target, IReadOnlyList<OptionField> fields, OptionField field)
    {
        while (!fields.Contains(field))
        {
            var above = fields.First(f => field.Path.StartsWith(f.Path + ".", StringComparison.Ordinal));
            var nested = above.Property.GetValue(target) is { } now ? Copy(now) : OptionsSchema.New(above.Type);
            above.Property.SetValue(target, nested);
            (target, fields) = (nested, above.Fields);
        }
        return target;
    }

    private static IReadOnlyCollection<string> Spellings(IReadOnlyList<OptionField> fields, string key) =>
        key.StartsWith("--", StringComparison.Ordinal)
            ? [.. fields.SelectMany(f => f.Kind == OptionKind.Record ? Spellings(f.Fields, key) : [f.Flag])]
            : [.. fields.Select(f => f.Key)];

    private static object? Parse(OptionField field, string key, OptionLayer.Node node, string source)
    {
        var text = node.Text;
        if (node.Content is null || (text == "none" && field.Kind != OptionKind.Text && !field.Choices.Contains("none")))
            return field.Nullable ? null : throw Bad();
        object? value = field.Kind switch
        {
            OptionKind.TextList => Texts(),
            _ when text is null => throw Bad(),
            OptionKind.Text => text,
            OptionKind.Bool => bool.TryParse(text, out var flag) ? flag : throw Bad(),
            OptionKind.Choice => Choice(field, text) ?? throw Bad(),
            OptionKind.Duration => OptionText.TryTime(text, out var time) ? time : throw Bad(),
            OptionKind.Number => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : throw Bad(),
            _ when field.Type == typeof(int) => int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? whole : throw Bad(),
            _ => long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var whole) ? whole : throw Bad(),
        };
        if (field.Property.GetCustomAttribute<RangeAttribute>() is { } range && !Within(range, System.Convert.ToDouble(value, CultureInfo.InvariantCulture)))
            throw OptionsException.OutOfRange(key, OptionText.Of(value), Describe(range), source, node.Line);
        return value;

        OptionsException Bad() => OptionsException.BadValue(key, text ?? (node.Content is null ? null : "a nested value"), Expected(field), source, node.Line);

        List<string> Texts() => node.List is { } list
            ? [.. list.Select(n => n.Text ?? throw Bad())]
            : text is null ? throw Bad() : [text];
    }

    private static object? Choice(OptionField field, string text)
    {
        for (var i = 0; i < field.Choices.Count; i++)
        {
            if (field.Choices[i] == text || field.Choices[i].Replace('_', '-') == text)
                return Enum.Parse(field.Type, Enum.GetNames(field.Type)[i]);
        }
        return null;
    }

    private static string Expected(OptionField field) => field.Kind switch
    {
        OptionKind.Bool => "true or false",
        OptionKind.Integer => "a whole number",
        OptionKind.Number => "a number",
        OptionKind.Choice => $"one of {string.Join(", ", field.Choices)}",
        OptionKind.Duration => "a time such as 20m, 90s or 1h30m",
        OptionKind.TextList => "a list of texts",
        OptionKind.Record => "a mapping of options",
        _ => "a text",
    };

    // Not RangeAttribute.IsValid: with whole-number bounds it rounds the value first, so that 0.4 would be 0.
    private static bool Within(RangeAttribute range, double value)
    {
        var low = System.Convert.ToDouble(range.Minimum, CultureInfo.InvariantCulture);
        var high = System.Convert.ToDouble(range.Maximum, CultureInfo.InvariantCulture);
        return (range.MinimumIsExclusive ? value > low : value >= low) && (range.MaximumIsExclusive ? value < high : value <= high);
    }

    private static string Describe(RangeAttribute range) => string.Create(CultureInfo.InvariantCulture,
        $"{(range.MinimumIsExclusive ? "above" : "from")} {range.Minimum} {(range.MaximumIsExclusive ? "to below" : "to")} {range.Maximum}");

    private static void RefuseMissing(IReadOnlyList<OptionField> fields, HashSet<string> given, string? source, int? line)
    {
        foreach (var field in fields)
        {
            if (field.Required && !given.Contains(field.Path))
                throw OptionsException.Missing(field, source, line);
            if (field.Kind == OptionKind.Record && given.Any(g => g.StartsWith(field.Path + ".", StringComparison.Ordinal)))
                RefuseMissing(field.Fields, given, source, line);
        }
    }

    // A record's own copy: the method behind `with`.
    private static object Copy(object record) => record.GetType().GetMethod("<Clone>$")?.Invoke(record, null)
        ?? throw new InvalidOperationException($"{record.GetType().Name} is not a record.");
}
