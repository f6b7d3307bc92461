using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Core.Versions;

namespace Attune.Core.Checkpoints;

/// <summary>
/// The weights of a model under one roof, whether they lie in one model.safetensors or in shards that
/// model.safetensors.index.json lists.
/// </summary>
public sealed class WeightFiles : IDisposable
{
    /// <summary>The list of a sharded checkpoint.</summary>
    public const string Index = "model.safetensors.index.json";

    private readonly Dictionary<string, SafetensorsFile> _fileOf = new(StringComparer.Ordinal);
    private readonly List<SafetensorsFile> _files = [];

    private WeightFiles()
    {
    }

    /// <summary>All tensors, sorted by name.</summary>
    public IReadOnlyList<TensorInfo> Tensors { get; private set; } = [];

    /// <summary>Whether a file of a model's folder holds weights, or lists where they are.</summary>
    public static bool IsOne(string name) => name == Index || name.EndsWith(".safetensors", StringComparison.Ordinal);

    /// <summary>Opens the weights of a model.</summary>
    /// <exception cref="CheckpointException">A broken, missing or pickled file; a shard list that does not fit its shards (ATT2015).</exception>
    public static WeightFiles Open(ModelFiles model)
    {
        var weights = new WeightFiles();
        try
        {
            if (model.Find(ModelFiles.Weights) is { } single)
                weights.Add(SafetensorsFile.Open(single));
            else if (model.Find(Index) is { } index)
                weights.AddShards(model, index);
            else if (model.Paths.FirstOrDefault(p => Pickle.IsPickleName(p.Key) && IsPickle(p.Value)) is { Value: { } pickle })
                throw Pickle.Refusal(pickle);
            else
                model.Require(ModelFiles.Weights);
            weights.Tensors = [.. weights._files.SelectMany(f => f.Tensors).OrderBy(t => t.Name, StringComparer.Ordinal)];
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>The entry of a tensor, or null where the model has none of that name.</summary>
    public TensorInfo? Find(string name) => _fileOf.GetValueOrDefault(name)?[name];

    /// <inheritdoc cref="SafetensorsFile.this[string]"/>
    public TensorInfo this[string name] => FileOf(name)[name];

    /// <inheritdoc cref="SafetensorsFile.Bytes(string)"/>
    public ReadOnlySpan<byte> Bytes(string name) => FileOf(name).Bytes(name);

    /// <inheritdoc cref="SafetensorsFile.Bytes(string, long, int)"/>
    public ReadOnlySpan<byte> Bytes(string name, long offset, int count) => FileOf(name).Bytes(name, offset, count);

    /// <inheritdoc cref="SafetensorsFile.ReadFloats(string, Span{float})"/>
    public void ReadFloats(string name, Span<float> values) => FileOf(name).ReadFloats(name, values);

    /// <inheritdoc cref="SafetensorsFile.ReadFloats(string, long, Span{float})"/>
    public void ReadFloats(string name, long first, Span<float> values) => FileOf(name).ReadFloats(name, first, values);

    /// <summary>A part of a tensor's values in the type that the reader wants, converted on the way from the mapped file.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="first">The first element.</param>
    /// <param name="type">F32, F16, BF16 or F64.</param>
    /// <param name="values">As many bytes as the elements take in that type.</param>
    /// <exception cref="CheckpointException">ATT2013: no such tensor; ATT2022: its type is not a plain float.</exception>
    public void Read(string name, long first, TensorType type, Span<byte> values)
    {
        var tensor = this[name];
        var (wide, count) = (tensor.Type.Bits() / 8, values.Length / (type.Bits() / 8));
        if (!FloatConversion.TryConvert(tensor.Type, Bytes(name, first * wide, checked(count * wide)), type, values))
            throw new UnsupportedCheckpointException($"The tensor is {tensor.Type.HeaderName()}; weights are read from F32, F16, BF16 or F64.") { File = FileOf(name).Path, Field = name };
    }

    /// <summary>What transformers 5 puts into one file.</summary>
    public const long UsualShard = 50_000_000_000;

    /// <summary>
    /// Writes the weights of a model into a folder: model.safetensors, or numbered shards with their list where they take more
    /// than <paramref name="shardBytes"/>, filled in the order of names as transformers does. Each file is written atomically,
    /// the list last; files of an earlier form are removed.
    /// </summary>
    /// <exception cref="CheckpointException">ATT2011: a tensor is given twice; ATT2030: the disk refused.</exception>
    public static void Write(string folder, IEnumerable<TensorSource> tensors, long shardBytes = UsualShard)
    {
        var shards = new List<List<TensorSource>>();
        var room = 0L;
        foreach (var tensor in tensors.OrderBy(t => t.Name, StringComparer.Ordinal))
        {
            if (shards.Count == 0 || tensor.Length > room)
            {
                shards.Add([]);
                room = shardBytes;
            }
            shards[^1].Add(tensor);
            room -= tensor.Length;
        }
        var names = shards.Count <= 1
            ? [ModelFiles.Weights]
            : Enumerable.Range(1, shards.Count).Select(i => string.Create(CultureInfo.InvariantCulture, $"model-{i:00000}-of-{shards.Count:00000}.safetensors")).ToArray();
        for (var i = 0; i < names.Length; i++)
            SafetensorsWriter.Write(Path.Combine(folder, names[i]), i < shards.Count ? shards[i] : []);
        foreach (var old in Directory.EnumerateFiles(folder, "model*.safetensors").Where(p => !names.Contains(Path.GetFileName(p))).ToArray())
            File.Delete(old);
        var list = Path.Combine(folder, Index);
        if (names.Length == 1)
            File.Delete(list);
        else
            Atomic.WriteAllText(list, IndexOf(shards, names));
    }

    /// <inheritdoc cref="SafetensorsFile.LetGo"/>
    public void LetGo(string name) => FileOf(name).LetGo(name);

    /// <summary>Closes every file.</summary>
    public void Dispose()
    {
        foreach (var file in _files)
            file.Dispose();
    }

    private static string IndexOf(List<List<TensorSource>> shards, string[] names)
    {
        var (map, bytes, parameters) = (new JsonObject(), 0L, 0L);
        foreach (var (tensor, name) in shards.SelectMany((shard, i) => shard.Select(t => (t, names[i]))))
        {
            map[tensor.Name] = name;
            bytes += tensor.Length;
            parameters += tensor.Length * 8 / tensor.Type.Bits();
        }
        return HuggingFaceJson.Format(new() { ["metadata"] = new JsonObject { ["total_parameters"] = parameters, ["total_size"] = bytes }, ["weight_map"] = map });
    }

    private SafetensorsFile FileOf(string name) =>
        _fileOf.GetValueOrDefault(name) ?? throw SafetensorsFile.Missing(name, _files.Count > 0 ? _files[0].Path : "");

    private void Add(SafetensorsFile file)
    {
        _files.Add(file);
        foreach (var tensor in file.Tensors)
        {
            if (!_fileOf.TryAdd(tensor.Name, file))
                throw new CheckpointException("ATT2015", $"Two shards hold this tensor; the other is {_fileOf[tensor.Name].Path}.") { File = file.Path, Field = tensor.Name };
        }
    }

    private void AddShards(ModelFiles model, string index)
    {
        var map = ReadIndex(index);
        foreach (var shard in map.Values.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            // Shards lie beside their list: a name with a folder in it finds nothing, wherever it points.
            var path = model.Find(shard) ?? throw new CheckpointException("ATT2015", "The model lacks this shard.")
            {
                File = index,
                Field = shard,
                Hint = "Download it again; shards lie beside the index.",
            };
            Add(SafetensorsFile.Open(path));
        }
        foreach (var (name, shard) in map)
        {
            if (!_fileOf.TryGetValue(name, out var file) || file.Path != model.Find(shard))
                throw new CheckpointException("ATT2015", $"The index says that {shard} holds this tensor, but it does not.") { File = index, Field = name };
        }
        if (_fileOf.Keys.FirstOrDefault(name => !map.ContainsKey(name)) is { } extra)
            throw new CheckpointException("ATT2015", "A shard holds a tensor that the index does not name.") { File = index, Field = extra };
    }

    private static Dictionary<string, string> ReadIndex(string path)
    {
        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { AllowDuplicateProperties = false });
            return json.RootElement.GetProperty("weight_map").EnumerateObject()
                .ToDictionary(p => p.Name, p => p.Value.GetString() ?? throw new JsonException($"{p.Name} has no file."), StringComparer.Ordinal);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or IOException or UnauthorizedAccessException)
        {
            throw new CheckpointException("ATT2015", $"The list of shards is broken: {e.Message}", e) { File = path, Field = "weight_map" };
        }
    }

    private static bool IsPickle(string path)
    {
        using var stream = File.OpenRead(path);
        Span<byte> start = stackalloc byte[16];
        return Pickle.LooksLikePickle(start[..stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)]);
    }
}
