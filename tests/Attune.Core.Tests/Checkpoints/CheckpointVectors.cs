using System.Text.Json;
using Attune.Core.Checkpoints;
using Attune.Core.Versions;
using Attune.Testing;
using Xunit;

namespace Attune.Core.Tests.Checkpoints;

/// <summary>Files that the reference implementations wrote: every safetensors file, every config.</summary>
public sealed class CheckpointVectors : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void Every_safetensors_file_opens_and_is_written_again_byte_for_byte()
    {
        var files = Found(SharedData.Files("*.safetensors", "vectors"));
        foreach (var path in files)
        {
            using var file = SafetensorsFile.Open(path);
            foreach (var tensor in file.Tensors.Where(t => t.Type is TensorType.F32 or TensorType.F16 or TensorType.BF16))
            {
                var values = new float[tensor.Count];
                file.ReadFloats(tensor.Name, values);
                Assert.All(values.Where(v => !float.IsFinite(v)).Take(1), v => Assert.Contains("quant", path, StringComparison.Ordinal));
            }
            SafetensorsWriter.Write(_scratch["copy"], file.Tensors.Select(t => TensorSource.Of(t.Name, t.Type, t.Shape, file.Bytes(t.Name).ToArray())), file.Metadata);
            Assert.True(Digests.Sha256Of(path) == Digests.Sha256Of(_scratch["copy"]), $"{path} is not written with the same bytes.");
        }
    }

    [Fact]
    public void Shards_hold_what_the_single_file_holds()
    {
        var folders = Found(SharedData.FoldersWith(WeightFiles.Index, "vectors"));
        foreach (var folder in folders)
        {
            using var shards = WeightFiles.Open(ModelFiles.OfFolder(folder));
            var config = HuggingFaceConfig.Read(Path.Combine(folder, ModelFiles.Config));
            TensorNames.Check(config, shards);
            Assert.Equal(config.Parameters, shards.Tensors.Sum(t => t.Count));
        }
    }

    [Fact]
    public void Pickles_are_refused()
    {
        var folders = Found(SharedData.FoldersWith("*.bin", "vectors"));
        foreach (var folder in folders)
            Assert.Equal("ATT2014", Assert.Throws<CheckpointException>(() => WeightFiles.Open(ModelFiles.OfFolder(folder))).Code);
    }

    [Fact]
    public void Every_config_is_read_and_fits_its_weights_or_is_refused_by_name()
    {
        var (read, written) = (new SortedSet<string>(StringComparer.Ordinal), 0);
        foreach (var path in Found(SharedData.Files("config*.json", "vectors")))
        {
            DecoderConfig config;
            try
            {
                config = HuggingFaceConfig.Read(path);
            }
            catch (UnsupportedCheckpointException e)
            {
                Assert.NotNull(e.Field);
                Assert.Contains("Not supported", e.Message, StringComparison.Ordinal);
                continue;
            }
            read.Add(config.Architecture);
            var folder = ModelFiles.OfFolder(Path.GetDirectoryName(path)!);
            if (folder.Find(ModelFiles.Weights) is not null)
            {
                using var weights = WeightFiles.Open(folder);
                TensorNames.Check(config, weights);
                Assert.Equal(weights.Tensors.Sum(t => t.Count), config.Parameters);
            }
            var text = File.ReadAllText(path);
            if (!text.Contains($"\"transformers_version\": \"{HuggingFaceConfig.TransformersVersion}\"", StringComparison.Ordinal))
                continue;
            written++;
            HuggingFaceConfig.Write(_scratch["config.json"], config);
            Assert.Equal(text.TrimEnd(), File.ReadAllText(_scratch["config.json"]).TrimEnd());
        }
        Assert.Contains("LlamaForCausalLM", read);
        Assert.True(written > 0);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", read));
    }

    [Fact]
    public void What_has_only_plain_Llamas_gets_nothing_else()
    {
        var refused = 0;
        foreach (var path in Found(SharedData.Files("config.json", "vectors")))
        {
            try
            {
                Assert.Equal(DecoderFeatures.None, HuggingFaceConfig.Read(path, DecoderFeatures.None).Features);
            }
            catch (UnsupportedCheckpointException e)
            {
                Assert.NotNull(e.Field);
                refused++;
            }
        }
        Assert.True(refused > 0);
    }

    [Fact]
    public void Both_forms_of_a_config_mean_the_same()
    {
        foreach (var folder in Found(SharedData.FoldersWith("config.v4.json", "vectors")))
        {
            var (now, older) = (Path.Combine(folder, "config.json"), Path.Combine(folder, "config.v4.json"));
            Assert.Equal(Meaning(now), Meaning(older));
            // What was read in the older form is written as transformers 5 would write it.
            HuggingFaceConfig.Write(_scratch["config.json"], HuggingFaceConfig.Read(older));
            Assert.Equal(File.ReadAllText(now).TrimEnd(), File.ReadAllText(_scratch["config.json"]).TrimEnd());
        }
    }

    [Fact]
    public void Every_generation_config_is_read_and_written_the_same()
    {
        foreach (var path in Found(SharedData.Files(ModelFiles.GenerationConfig, "vectors")))
        {
            GenerationConfig.Write(_scratch["g"], GenerationConfig.Read(path));
            Assert.Equal(File.ReadAllText(path).TrimEnd(), File.ReadAllText(_scratch["g"]).TrimEnd());
        }
    }

    private static string Meaning(string path)
    {
        try
        {
            return JsonSerializer.Serialize(HuggingFaceConfig.Read(path));
        }
        catch (UnsupportedCheckpointException e)
        {
            return $"refused: {e.Field}";
        }
    }

    private static IReadOnlyList<string> Found(IReadOnlyList<string> cases)
    {
        Assert.SkipWhen(SharedData.MaySkip, "No reference data.");
        Assert.NotEmpty(cases);
        return cases;
    }
}
