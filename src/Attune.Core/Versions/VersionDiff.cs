using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;

namespace Attune.Core.Versions;

/// <summary>A value that differs; null where a side has none.</summary>
public sealed record ValueChange(string Key, string? Left, string? Right);

/// <summary>A tensor that differs.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Left">Its type and shape on the left, or null.</param>
/// <param name="Right">Its type and shape on the right, or null.</param>
/// <param name="Relative">‖right − left‖ / ‖left‖ over all elements, or null where the two cannot be compared; infinite where left is zero.</param>
public sealed record TensorChange(string Name, string? Left, string? Right, double? Relative);

/// <summary>What differs between two versions; every list is empty where nothing does.</summary>
public sealed record VersionDiff
{
    /// <summary>The two versions.</summary>
    public required ModelVersion Left { get; init; }

    /// <inheritdoc cref="Left"/>
    public required ModelVersion Right { get; init; }

    /// <summary>Files, by digest.</summary>
    public required IReadOnlyList<ValueChange> Files { get; init; }

    /// <summary>Keys of config.json and generation_config.json.</summary>
    public required IReadOnlyList<ValueChange> Config { get; init; }

    /// <summary>Kind, stage, parent, data, seed and options.</summary>
    public required IReadOnlyList<ValueChange> Lineage { get; init; }

    /// <summary>The prompt contract: keys of prompt_contract.json and lines of the template.</summary>
    public required IReadOnlyList<ValueChange> Contract { get; init; }

    /// <summary>Tensors that are not equal, most changed first.</summary>
    public required IReadOnlyList<TensorChange> Tensors { get; init; }

    /// <summary>Compares two versions; only files that differ are read.</summary>
    public static VersionDiff Between(ModelVersion left, ModelVersion right, CancellationToken cancellation = default)
    {
        var lineage = Compare(Flat(LineageOf(left)), Flat(LineageOf(right)));
        return new()
        {
            Left = left,
            Right = right,
            Files = Compare(left.Files.Paths.ToDictionary(p => p.Key, p => Path.GetFileName(p.Value), StringComparer.Ordinal), right.Files.Paths.ToDictionary(p => p.Key, p => Path.GetFileName(p.Value), StringComparer.Ordinal)),
            Config = [.. JsonFile(left, right, ModelFiles.Config), .. JsonFile(left, right, ModelFiles.GenerationConfig)],
            Lineage = lineage,
            Contract = [.. JsonFile(left, right, ModelFiles.PromptContract), .. TextFile(left, right, ModelFiles.ChatTemplate)],
            Tensors = CompareTensors(left, right, cancellation),
        };
    }

    private static JsonObject LineageOf(ModelVersion version)
    {
        var json = LineageJson.ToJson(version.Lineage);
        json["kind"] = version.Kind.ToString();
        return json;
    }

    private static IReadOnlyList<ValueChange> JsonFile(ModelVersion left, ModelVersion right, string name)
    {
        var (a, b) = (left.Files.Find(name), right.Files.Find(name));
        return a == b ? [] : Compare(Flat(a is null ? null : HuggingFaceJson.Read(a)), Flat(b is null ? null : HuggingFaceJson.Read(b)));
    }

    private static IEnumerable<ValueChange> TextFile(ModelVersion left, ModelVersion right, string name)
    {
        var (a, b) = (left.Files.Find(name), right.Files.Find(name));
        return a == b ? [] : [new(name, a is null ? null : File.ReadAllText(a), b is null ? null : File.ReadAllText(b))];
    }

    private static IReadOnlyList<ValueChange> Compare(Dictionary<string, string> left, Dictionary<string, string> right) =>
        [.. from key in left.Keys.Union(right.Keys, StringComparer.Ordinal).Order(StringComparer.Ordinal)
            let a = left.GetValueOrDefault(key)
            let b = right.GetValueOrDefault(key)
            where a != b
            select new ValueChange(key, a, b)];

    private static Dictionary<string, string> Flat(JsonNode? json)
    {
        var flat = new Dictionary<string, string>(StringComparer.Ordinal);
        Walk(json, "");
        return flat;

        void Walk(JsonNode? node, string key)
        {
            switch (node)
            {
                case JsonObject map:
                    foreach (var (name, value) in map)
                        Walk(value, key.Length == 0 ? name : $"{key}.{name}");
                    break;
                case JsonArray list when list.Any(item => item is JsonObject or JsonArray):
                    for (var i = 0; i < list.Count; i++)
                        Walk(list[i], FormattableString.Invariant($"{key}[{i}]"));
                    break;
                case JsonValue value when value.GetValueKind() == JsonValueKind.String:
                    flat[key] = value.GetValue<string>();
                    break;
                case not null:
                    flat[key] = node.ToJsonString();
                    break;
                default:
                    break;
            }
        }
    }

    private static IReadOnlyList<TensorChange> CompareTensors(ModelVersion left, ModelVersion right, CancellationToken cancellation)
    {
        if (SameWeights(left, right))
            return [];
        using var a = WeightFiles.Open(left.Files);
        using var b = WeightFiles.Open(right.Files);
        var changes = new List<TensorChange>();
        foreach (var name in a.Tensors.Concat(b.Tensors).Select(t => t.Name).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            cancellation.ThrowIfCancellationRequested();
            var (l, r) = (a.Find(name), b.Find(name));
            double? relative = l is not null && r is not null && l.Shape.SequenceEqual(r.Shape) && IsFloat(l) && IsFloat(r) ? Relative(a, b, name, l.Count) : null;
            if (relative is not 0)
                changes.Add(new(name, Describe(l), Describe(r), relative));
        }
        return [.. changes.OrderByDescending(c => c.Relative ?? double.PositiveInfinity).ThenBy(c => c.Name, StringComparer.Ordinal)];
    }

    private static bool SameWeights(ModelVersion left, ModelVersion right)
    {
        static IEnumerable<string> Weights(ModelVersion v) => v.Files.Paths.Where(p => p.Key.EndsWith(".safetensors", StringComparison.Ordinal)).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => p.Value);
        return Weights(left).SequenceEqual(Weights(right), StringComparer.Ordinal);
    }

    private static bool IsFloat(TensorInfo tensor) => tensor.Type is TensorType.F32 or TensorType.F16 or TensorType.BF16 or TensorType.F64;

    private static string? Describe(TensorInfo? tensor) => tensor is null ? null : $"{tensor.Type.HeaderName()} {tensor.ShapeText}";

    private static double Relative(WeightFiles a, WeightFiles b, string name, long count)
    {
        var (left, right) = (new float[Math.Min(count, 1 << 16)], new float[Math.Min(count, 1 << 16)]);
        var (change, norm) = (0.0, 0.0);
        for (var first = 0L; first < count; first += left.Length)
        {
            var n = (int)Math.Min(left.Length, count - first);
            a.ReadFloats(name, first, left.AsSpan(0, n));
            b.ReadFloats(name, first, right.AsSpan(0, n));
            for (var i = 0; i < n; i++)
            {
                var difference = (double)right[i] - left[i];
                change += difference * difference;
                norm += (double)left[i] * left[i];
            }
        }
        return change == 0 ? 0 : Math.Sqrt(change / norm);
    }
}
