using System.Text.Json;
using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Versions;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Tests.Models;

/// <summary>One folder of shared/vectors/models: a model and what the reference computes with it.</summary>
public sealed class ModelCase(string folder) : IDisposable
{
    private readonly SafetensorsFile _expected = SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));

    public string Folder => folder;

    public ModelFiles Files => ModelFiles.OfFolder(folder);

    public IEnumerable<string> Names => _expected.Tensors.Select(t => t.Name);

    public JsonElement Json { get; } = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "expected.json"))).RootElement;

    public IReadOnlyList<JsonElement> Rows => [.. Json.GetProperty("rows").EnumerateArray()];

    public Tensor Expected(string name)
    {
        var values = new float[_expected[name].Count];
        _expected.ReadFloats(name, values);
        return tensor(values).view([.. _expected[name].Shape]);
    }

    /// <summary>The padded training batch without its padding, labels shifted as ours are.</summary>
    public RaggedBatch TrainingBatch()
    {
        var train = Json.GetProperty("train");
        var (ids, mask, labels) = (Matrix(train, "input_ids"), Matrix(train, "attention_mask"), Matrix(train, "labels"));
        var rows = new List<int[]>();
        var trained = new List<bool[]>();
        for (var r = 0; r < ids.Length; r++)
        {
            var real = Enumerable.Range(0, ids[r].Length).Where(i => mask[r][i] != 0).ToArray();
            rows.Add([.. real.Select(i => ids[r][i])]);
            trained.Add([.. real.Select(i => labels[r][i] != RaggedBatch.Ignore)]);
        }
        return RaggedBatch.Of(rows, trained);
    }

    public static int[] Ids(JsonElement row, string name) => [.. row.GetProperty(name).EnumerateArray().Select(e => e.GetInt32())];

    public void Dispose() => _expected.Dispose();

    /// <summary>Folders with a model that Attune trains, and the others.</summary>
    public static (IReadOnlyList<string> Supported, IReadOnlyList<string> Refused) Folders()
    {
        var all = Testing.SharedData.FoldersWith("expected.safetensors", "vectors", "models");
        if (all.Count == 0 && Testing.SharedData.MaySkip)
            Assert.Skip("no reference data");
        Assert.NotEmpty(all);
        var byKind = all.ToLookup(IsPlainLlama);
        return ([.. byKind[true]], [.. byKind[false]]);
    }

    /// <summary>What the decoder is built for, read from config.json alone: Llama, ordinary rotary positions, no biases.</summary>
    private static bool IsPlainLlama(string folder)
    {
        var config = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "config.json"))).RootElement;
        var rope = config.TryGetProperty("rope_parameters", out var parameters) && parameters.TryGetProperty("rope_type", out var kind) ? kind.GetString() : "default";
        return config.GetProperty("architectures")[0].GetString() == "LlamaForCausalLM" && rope == "default" && !True("attention_bias") && !True("mlp_bias");

        bool True(string name) => config.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;
    }

    private static int[][] Matrix(JsonElement parent, string name) =>
        [.. parent.GetProperty(name).EnumerateArray().Select(row => row.EnumerateArray().Select(e => e.GetInt32()).ToArray())];
}
