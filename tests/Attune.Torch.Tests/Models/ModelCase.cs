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

    /// <summary>The same model with its config as an older transformers wrote it, or null where there is none.</summary>
    public ModelFiles? FilesOfVersion4 => Files.Find("config.v4.json") is { } older
        ? new(Files.Paths.Select(p => p.Key == ModelFiles.Config ? new(p.Key, older) : p).ToDictionary(StringComparer.Ordinal), folder)
        : null;

    /// <summary>Folders with a model that Attune trains, and the others.</summary>
    public static (IReadOnlyList<string> Supported, IReadOnlyList<string> Refused) Folders()
    {
        IReadOnlyList<string> all = [.. Testing.SharedData.FoldersWith("expected.safetensors", "vectors", "models"), .. Testing.SharedData.FoldersWith("expected.safetensors", "vectors", "models-more")];
        if (all.Count == 0 && Testing.SharedData.MaySkip)
            Assert.Skip("no reference data");
        Assert.NotEmpty(all);
        var notYet = all.ToLookup(folder => NotYet.Contains(Architecture(folder)));
        return ([.. notYet[false]], [.. notYet[true]]);
    }

    /// <summary>Checks every model that Attune trains, and fails with all that failed.</summary>
    public static void EachSupported(Action<ModelCase> check)
    {
        var folders = Folders().Supported;
        Assert.NotEmpty(folders);
        var failures = new List<string>();
        foreach (var folder in folders)
        {
            TestContext.Current.TestOutputHelper?.WriteLine(Path.GetFileName(folder));
            try
            {
                using var scope = NewDisposeScope();
                using var model = new ModelCase(folder);
                check(model);
            }
            catch (Exception e)
            {
                failures.Add($"{Path.GetFileName(folder)}: {e.Message}");
            }
        }
        Assert.True(failures.Count == 0, string.Join("\n", failures));
    }

    /// <summary>Architectures that Attune does not have yet. This list may only shrink.</summary>
    private static readonly string[] NotYet = ["MixtralForCausalLM", "Qwen3MoeForCausalLM", "GptOssForCausalLM"];

    private static string Architecture(string folder) =>
        JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, ModelFiles.Config))).RootElement.GetProperty("architectures")[0].GetString()!;

    private static int[][] Matrix(JsonElement parent, string name) =>
        [.. parent.GetProperty(name).EnumerateArray().Select(row => row.EnumerateArray().Select(e => e.GetInt32()).ToArray())];
}
