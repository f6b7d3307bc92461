using System.Text.Json;
using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Versions;
using Attune.Testing;
using Attune.Torch.Models;
using Attune.Torch.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Tests.Models;

/// <summary>What is written is what transformers writes: every key of config.json, every tensor's name, shape and type, every byte.</summary>
public sealed class DecoderFilesVectors : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-files").FullName;

    public DecoderFilesVectors() => TorchRuntime.Initialise(2);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_model_that_is_loaded_and_saved_is_the_same_files() => EachModel(folder =>
    {
        using var decoder = DecoderFiles.Load(ModelFiles.OfFolder(folder));
        decoder.SaveFolder(_folder);
        Assert.Equal(File.ReadAllText(Path.Combine(folder, ModelFiles.Config)).TrimEnd(), File.ReadAllText(Path.Combine(_folder, ModelFiles.Config)).TrimEnd());
        Assert.Equal(Digests.Sha256Of(Path.Combine(folder, ModelFiles.Weights)), Digests.Sha256Of(Path.Combine(_folder, ModelFiles.Weights)));
    });

    [Theory]
    [InlineData(TensorType.F32, ScalarType.Float32, "float32")]
    [InlineData(TensorType.F16, ScalarType.Float16, "float16")]
    [InlineData(TensorType.BF16, ScalarType.BFloat16, "bfloat16")]
    public void In_every_type_and_in_shards_the_values_come_back(TensorType type, ScalarType dtype, string name) => EachModel(folder =>
    {
        using var decoder = DecoderFiles.Load(ModelFiles.OfFolder(folder));
        decoder.SaveFolder(_folder, type, shardBytes: 10_000);
        Assert.False(File.Exists(Path.Combine(_folder, ModelFiles.Weights)));
        var files = ModelFiles.OfFolder(_folder);
        Assert.Equal(name, HuggingFaceConfig.Read(files.Require(ModelFiles.Config)).Dtype);
        using (var shards = WeightFiles.Open(files))
        {
            Assert.All(shards.Tensors, t => Assert.Equal(type, t.Type));
            Assert.Equal(TensorNames.All(decoder.Config).Select(t => t.Name).Order(StringComparer.Ordinal), shards.Tensors.Select(t => t.Name));
        }
        using var again = DecoderFiles.Load(files, dtype: dtype);
        using var guard = no_grad();
        foreach (var (key, value) in again.state_dict())
            Assert.True(value.equal(decoder.state_dict()[key].to(dtype)).all().item<bool>(), key);
    });

    [Fact]
    public void Shards_are_cut_where_transformers_cuts_them() => EachVariant((folder, _) =>
    {
        if (!File.Exists(Path.Combine(folder, WeightFiles.Index)))
            return;
        using var decoder = DecoderFiles.Load(ModelFiles.OfFolder(folder));
        // The limit that was asked for lies between the largest shard and what its next tensor would have made of it.
        var shards = Directory.GetFiles(folder, "*.safetensors").Select(SafetensorsFile.Open).ToArray();
        var most = shards.Max(s => s.Tensors.Sum(t => t.Length));
        foreach (var shard in shards)
            shard.Dispose();
        decoder.SaveFolder(_folder, shardBytes: most);
        Assert.Equal(File.ReadAllText(Path.Combine(folder, WeightFiles.Index)).TrimEnd(), File.ReadAllText(Path.Combine(_folder, WeightFiles.Index)).TrimEnd());
        foreach (var path in Directory.GetFiles(folder, "*.safetensors"))
            Assert.Equal(Digests.Sha256Of(path), Digests.Sha256Of(Path.Combine(_folder, Path.GetFileName(path))));
    });

    [Fact]
    public void Variants_give_the_logits_of_the_reference()
    {
        var compared = 0;
        EachVariant((folder, expected) =>
        {
            var config = HuggingFaceConfig.Read(Path.Combine(folder, ModelFiles.Config));
            var kind = File.Exists(Path.Combine(folder, WeightFiles.Index)) ? "sharded" : config.Dtype switch { "bfloat16" => "bf16", "float16" => "f16", _ => "f32" };
            if (!expected.GetProperty("logits").TryGetProperty(kind, out var logits))
                return;
            using var scope = NewDisposeScope();
            using var guard = no_grad();
            using var decoder = DecoderFiles.Load(ModelFiles.OfFolder(folder));
            using var stream = TokenStream.Of(RaggedBatch.Of([ModelCase.Ids(expected, "input_ids")]));
            var rows = logits.EnumerateArray().Select(row => row.EnumerateArray().Select(v => v.GetSingle()).ToArray()).ToArray();
            Compare.Absolute(tensor(rows.SelectMany(r => r).ToArray()).view(rows.Length, -1), decoder.Logits(decoder.Hidden(stream)), Tolerances.Logits, kind);
            compared++;
        });
        Assert.True(compared > 0, "no variant has expected logits");
    }

    [Fact]
    public void A_pickle_is_refused_with_the_way_out() => EachVariant((folder, _) =>
    {
        if (Directory.GetFiles(folder, "*.bin").Length > 0)
            Assert.Equal("ATT2014", Assert.Throws<CheckpointException>(() => DecoderFiles.Load(ModelFiles.OfFolder(folder))).Code);
    });

    [Fact]
    public void A_real_checkpoint_loads_and_is_saved_the_same()
    {
        var found = 0;
        foreach (var folder in SharedData.FoldersWith(ModelFiles.TokenizerConfig, "vectors").Where(f => File.Exists(Path.Combine(f, ModelFiles.Weights))))
        {
            found++;
            var before = HuggingFaceConfig.Read(Path.Combine(folder, ModelFiles.Config));
            var dtype = before.Dtype == "bfloat16" ? ScalarType.BFloat16 : before.Dtype == "float16" ? ScalarType.Float16 : ScalarType.Float32;
            using var decoder = DecoderFiles.Load(ModelFiles.OfFolder(folder), dtype: dtype);
            decoder.SaveFolder(_folder);
            Assert.Equal(Digests.Sha256Of(Path.Combine(folder, ModelFiles.Weights)), Digests.Sha256Of(Path.Combine(_folder, ModelFiles.Weights)));
            Assert.Equal(File.ReadAllText(Path.Combine(folder, ModelFiles.Config)).TrimEnd(), File.ReadAllText(Path.Combine(_folder, ModelFiles.Config)).TrimEnd());
        }
        Assert.True(found > 0 || SharedData.MaySkip, "no real checkpoint under vectors");
    }

    private static void EachModel(Action<string> check)
    {
        foreach (var folder in ModelCase.Folders().Supported)
        {
            using var scope = NewDisposeScope();
            check(folder);
        }
    }

    private static void EachVariant(Action<string, JsonElement> check)
    {
        Assert.SkipWhen(SharedData.MaySkip, "no reference data");
        var found = 0;
        foreach (var path in SharedData.Files("expected.json", "vectors"))
        {
            using var expected = JsonDocument.Parse(File.ReadAllText(path));
            if (!expected.RootElement.TryGetProperty("logits", out var logits) || logits.ValueKind != JsonValueKind.Object)
                continue;
            foreach (var folder in Directory.GetDirectories(Path.GetDirectoryName(path)!).Where(f => File.Exists(Path.Combine(f, ModelFiles.Config))).Order(StringComparer.Ordinal))
            {
                found++;
                check(folder, expected.RootElement);
            }
        }
        Assert.True(found > 0, "no variants of a model under vectors");
    }
}
