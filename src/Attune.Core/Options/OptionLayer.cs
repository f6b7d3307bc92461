using System.Collections;
using System.Globalization;
using System.Text.Json.Nodes;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Attune.Core.Options;

/// <summary>Some options as somebody gave them: a YAML file, flags, a lineage. Later layers lie over earlier ones.</summary>
/// <param name="Source">Where they came from, as errors name it: a file, "command line".</param>
public sealed record OptionLayer(string Source)
{
    /// <summary>A value: <see cref="Content"/> is null, text, a list of nodes or a map of nodes.</summary>
    internal sealed record Node(object? Content, int? Line)
    {
        public string? Text => Content as string;

        public List<Node>? List => Content as List<Node>;

        public List<(string Key, Node Value)>? Map => Content as List<(string, Node)>;
    }

    internal Node Root { get; init; } = new(new List<(string, Node)>(), null);

    /// <summary>Reads a YAML (or JSON) mapping. An empty text is an empty layer.</summary>
    /// <exception cref="OptionsException">ATT4005: it is not YAML, or no mapping.</exception>
    public static OptionLayer FromYaml(string yaml, string source) => Of(ParseYaml(yaml, source), source);

    /// <summary>Reads a YAML file.</summary>
    /// <exception cref="OptionsException">ATT4007: it cannot be read; ATT4005: it is not YAML, or no mapping.</exception>
    public static OptionLayer FromFile(string path)
    {
        try
        {
            return FromYaml(File.ReadAllText(path), path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw OptionsException.NoFile(path);
        }
    }

    /// <summary>Reads JSON, such as the options of a lineage.</summary>
    public static OptionLayer FromJson(JsonObject json, string source) => Of(Convert(json), source);

    /// <summary>
    /// Takes values by key (<c>learning_rate</c>, <c>optimizer.learning_rate</c>) or by flag (<c>--learning-rate</c>).
    /// A value is null, a text (parsed), a value of the option's own type, or a sequence of texts.
    /// </summary>
    public static OptionLayer FromValues(IReadOnlyDictionary<string, object?> values, string source) => new(source)
    {
        Root = new Node(values.Select(v => (v.Key, Convert(v.Value))).ToList(), null),
    };

    /// <summary>This layer with another laid over it: where both name a key, the other's value stands.</summary>
    public OptionLayer Under(OptionLayer over)
    {
        var above = (over.Root.Map ?? []).Select(entry => OptionText.Key(entry.Key)).ToHashSet(StringComparer.Ordinal);
        var kept = (Root.Map ?? []).Where(entry => !above.Contains(OptionText.Key(entry.Key)));
        return this with { Root = Root with { Content = kept.Concat(over.Root.Map ?? []).ToList() } };
    }

    /// <summary>Parts the keys that belong to the record <typeparamref name="T"/> from all others.</summary>
    public (OptionLayer Own, OptionLayer Others) Split<T>()
    {
        var own = OptionsSchema.Of<T>().Select(f => f.Key).ToHashSet(StringComparer.Ordinal);
        var parts = (Root.Map ?? []).ToLookup(entry => own.Contains(OptionText.Key(entry.Key)));
        OptionLayer Part(bool mine) => this with { Root = Root with { Content = parts[mine].ToList() } };
        return (Part(true), Part(false));
    }

    internal static OptionLayer Of(Node root, string source)
    {
        if (root.Content is not null && root.Map is null)
            throw OptionsException.Broken("Options are a mapping, 'name: value' on each line.", source, root.Line);
        return root.Content is null ? new(source) : new(source) { Root = root };
    }

    internal static Node ParseYaml(string yaml, string source)
    {
        var parser = new Parser(new StringReader(yaml));
        try
        {
            var stream = new YamlStream();
            stream.Load(parser);
            return stream.Documents.Count switch
            {
                0 => new Node(null, null),
                1 => Convert(stream.Documents[0].RootNode, source),
                _ => throw OptionsException.Broken("One YAML document is expected, not several.", source, (int)stream.Documents[1].RootNode.Start.Line),
            };
        }
        catch (YamlException e)
        {
            throw OptionsException.Broken($"This is not YAML: {e.InnerException?.Message ?? e.Message}", source, (int)e.Start.Line, e);
        }
        catch (InvalidOperationException e)
        {
            // YamlDotNet's scanner throws this, without a place, on some unclosed brackets.
            throw OptionsException.Broken("This is not YAML: a bracket or quote is not closed.", source, (int?)parser.Current?.End.Line, e);
        }
    }

    private static Node Convert(YamlNode node, string source)
    {
        var line = (int)node.Start.Line;
        return node switch
        {
            YamlScalarNode { Style: ScalarStyle.Plain, Value: "" or "~" or "null" or "Null" or "NULL" } => new Node(null, line),
            YamlScalarNode scalar => new Node(scalar.Value ?? "", line),
            YamlSequenceNode list => new Node(list.Select(n => Convert(n, source)).ToList(), line),
            YamlMappingNode map => new Node(map.Select(p => (KeyOf(p.Key, source), At(Convert(p.Value, source), p.Key))).ToList(), line),
            _ => throw OptionsException.Broken("This kind of YAML node has no meaning here.", source, line),
        };
    }

    // An entry is at its key's line, also where its value starts a line further down.
    private static Node At(Node value, YamlNode key) => value with { Line = (int)key.Start.Line };

    private static string KeyOf(YamlNode key, string source) => key is YamlScalarNode { Value: { } text }
        ? text
        : throw OptionsException.Broken("The name of an option is a plain word.", source, (int)key.Start.Line);

    private static Node Convert(JsonNode? json) => json switch
    {
        null => new Node(null, null),
        JsonObject map => new Node(map.Select(p => (p.Key, Convert(p.Value))).ToList(), null),
        JsonArray list => new Node(list.Select(Convert).ToList(), null),
        _ => new Node(json.GetValueKind() == System.Text.Json.JsonValueKind.String ? json.GetValue<string>() : json.ToJsonString(), null),
    };

    private static Node Convert(object? value) => value switch
    {
        null => new Node(null, null),
        string text => new Node(text, null),
        JsonNode json => Convert(json),
        IReadOnlyDictionary<string, object?> map => new Node(map.Select(p => (p.Key, Convert(p.Value))).ToList(), null),
        bool or double or TimeSpan or Enum => new Node(OptionText.Of(value), null),
        IEnumerable list => new Node(list.Cast<object?>().Select(Convert).ToList(), null),
        _ => new Node(System.Convert.ToString(value, CultureInfo.InvariantCulture), null),
    };
}
