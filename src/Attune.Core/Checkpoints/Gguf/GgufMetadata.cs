using System.Collections;

namespace Attune.Core.Checkpoints.Gguf;

/// <summary>What a GGUF file says of its model, read by key and checked for its type.</summary>
/// <param name="values">By key, in the file's order.</param>
/// <param name="path">The file, for errors.</param>
public sealed class GgufMetadata(IReadOnlyDictionary<string, GgufValue> values, string path) : IEnumerable<KeyValuePair<string, GgufValue>>
{
    /// <summary>Whether the key is there.</summary>
    public bool Has(string key) => values.ContainsKey(key);

    /// <summary>A text, or null where the key is absent.</summary>
    /// <exception cref="GgufException">ATT3304: it is something else.</exception>
    public string? Text(string key) => Find<string>(key, "a text");

    /// <summary>A text that must be there.</summary>
    /// <exception cref="GgufException">ATT3304: it is absent, or something else.</exception>
    public string RequiredText(string key) => Text(key) ?? throw Missing(key);

    /// <summary>A whole number from zero to 2^31 − 1, or null where the key is absent.</summary>
    /// <exception cref="GgufException">ATT3304: it is something else.</exception>
    public int? Int(string key) => values.GetValueOrDefault(key) switch
    {
        null => null,
        { Content: long number and >= 0 and <= int.MaxValue } => (int)number,
        var other => throw Wrong(key, "a whole number from 0 to 2^31 − 1", other),
    };

    /// <summary>A whole number of at least one that must be there.</summary>
    /// <exception cref="GgufException">ATT3304: it is absent, or something else.</exception>
    public int Size(string key) => Int(key) switch
    {
        null => throw Missing(key),
        0 => throw GgufException.Metadata(path, key, "Must be 1 or more, not 0."),
        { } size => size,
    };

    /// <summary>A finite number, or null where the key is absent.</summary>
    /// <exception cref="GgufException">ATT3304: it is something else.</exception>
    public double? Number(string key) => values.GetValueOrDefault(key) switch
    {
        null => null,
        // A float32 stands for the shortest decimal that gives it, as 1e-05 in config.json.
        { Type: GgufValueType.Float32, Content: double number } when double.IsFinite(number) => double.Parse(((float)number).ToString("R", System.Globalization.CultureInfo.InvariantCulture), System.Globalization.CultureInfo.InvariantCulture),
        { Content: double number } when double.IsFinite(number) => number,
        { Content: long number } => number,
        var other => throw Wrong(key, "a number", other),
    };

    /// <summary>What something is multiplied by, greater than 0; null where the key is absent or zero, which multiplies nothing.</summary>
    /// <exception cref="GgufException">ATT3304: it is something else.</exception>
    public double? Factor(string key) => Number(key) switch
    {
        null or 0 => null,
        < 0 => throw Impossible(key, "A factor is a number greater than 0."),
        var factor => factor,
    };

    /// <summary>True or false, or null where the key is absent.</summary>
    /// <exception cref="GgufException">ATT3304: it is something else.</exception>
    public bool? Flag(string key) => values.GetValueOrDefault(key) switch
    {
        null => null,
        { Content: bool flag } => flag,
        var other => throw Wrong(key, "true or false", other),
    };

    /// <summary>Texts; empty where the key is absent.</summary>
    /// <exception cref="GgufException">ATT3304: they are something else.</exception>
    public IReadOnlyList<string> Texts(string key) => Find<string[]>(key, "a list of texts") ?? [];

    /// <summary>Floats; empty where the key is absent.</summary>
    /// <exception cref="GgufException">ATT3304: they are something else.</exception>
    public IReadOnlyList<float> Floats(string key) => Find<float[]>(key, "a list of floats") ?? [];

    /// <summary>Whole numbers that fit an int; empty where the key is absent.</summary>
    /// <exception cref="GgufException">ATT3304: they are something else.</exception>
    public IReadOnlyList<int> Ints(string key) => Find<long[]>(key, "a list of whole numbers") is { } numbers
        ? Array.ConvertAll(numbers, n => n is >= int.MinValue and <= int.MaxValue ? (int)n : throw GgufException.Metadata(path, key, "A number is too large."))
        : [];

    /// <summary>A value as it is, or null where the key is absent.</summary>
    public GgufValue? Find(string key) => values.GetValueOrDefault(key);

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<string, GgufValue>> GetEnumerator() => values.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>The error for a key that is absent.</summary>
    public GgufException Missing(string key) => GgufException.Metadata(path, key, "The file lacks this key.");

    /// <summary>The error for a value that cannot be right.</summary>
    public GgufException Impossible(string key, string message) => GgufException.Metadata(path, key, message);

    private T? Find<T>(string key, string wanted)
        where T : class => values.GetValueOrDefault(key) switch
    {
        null => null,
        { Content: T found } => found,
        var other => throw Wrong(key, wanted, other),
    };

    private GgufException Wrong(string key, string wanted, GgufValue found) => GgufException.Metadata(path, key, $"Must be {wanted}, not {Short(found)}.");

    private static string Short(GgufValue value) => value.ToString() is { Length: > 80 } text ? text[..80] + "…" : value.ToString();
}
