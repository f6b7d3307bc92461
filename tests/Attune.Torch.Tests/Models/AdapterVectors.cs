using System.Text.Json;
using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Adapters;
using Attune.Core.Data;
using Attune.Core.Versions;
using Attune.Testing;
using Attune.Torch.Models;
using Attune.Torch.Native;
using Attune.Torch.Stages;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Tests.Models;

/// <summary>PEFT's adapters over every folder of shared/vectors/peft: logits with, without and merged; files written as PEFT writes them.</summary>
public sealed class AdapterVectors
{
    public AdapterVectors() => TorchRuntime.Initialise(2);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Logits_with_without_and_merged(bool kernels) => Each((folder, parent) =>
    {
        using var guard = no_grad();
        using var decoder = DecoderFiles.Load(parent);
        decoder.Kernels = kernels;
        var lora = Lora.Load(decoder, folder);
        Check("adapter");
        using (lora.Off())
            Check("base");
        Check("adapter");

        var stored = decoder.Weights().ToDictionary(w => w.Name, w => w.Value.bytes.ToArray(), StringComparer.Ordinal);
        lora.Merge();
        Check("merged");
        Assert.Contains(decoder.Weights(), w => !w.Value.bytes.SequenceEqual(stored[w.Name]));
        lora.Unmerge();
        Assert.All(decoder.Weights(), w => Assert.True(w.Value.bytes.SequenceEqual(stored[w.Name]), w.Name));
        Check("adapter");

        void Check(string name) => CheckLogits(folder, decoder, name);
    });

    [Fact]
    public void A_merged_model_is_written_and_reads_as_PEFT_merges() => Each((folder, parent) =>
    {
        using var guard = no_grad();
        var target = Directory.CreateTempSubdirectory("attune-merged-").FullName;
        try
        {
            using (var decoder = DecoderFiles.Load(parent))
            {
                Lora.Load(decoder, folder);
                decoder.SaveFolder(target);
            }
            using var merged = DecoderFiles.Load(ModelFiles.OfFolder(target));
            CheckLogits(folder, merged, "merged");
        }
        finally
        {
            Directory.Delete(target, recursive: true);
        }
    });

    [Fact]
    public void An_adapter_that_is_read_is_written_with_the_same_bytes() => Each((folder, parent) =>
    {
        var target = Directory.CreateTempSubdirectory("attune-adapter-").FullName;
        try
        {
            using var decoder = DecoderFiles.Load(parent);
            Lora.Load(decoder, folder).Save(target);
            Assert.True(File.ReadAllBytes(Path.Combine(folder, AdapterFiles.WeightsName)).SequenceEqual(File.ReadAllBytes(Path.Combine(target, AdapterFiles.WeightsName))), folder);
            var (theirs, ours) = (Json(folder), Json(target));
            foreach (var property in theirs.EnumerateObject().Where(p => p.Name != "peft_version"))
                Assert.True(JsonElement.DeepEquals(property.Value, ours.GetProperty(property.Name)), $"{folder}: {property.Name} {ours.GetProperty(property.Name)}");
            Assert.Equal(theirs.EnumerateObject().Select(p => p.Name), ours.EnumerateObject().Select(p => p.Name));
        }
        finally
        {
            Directory.Delete(target, recursive: true);
        }
    });

    private static JsonElement Json(string folder) => JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, AdapterConfig.FileName))).RootElement;

    private static void CheckLogits(string folder, Decoder decoder, string name)
    {
        using var scope = NewDisposeScope();
        using var expected = SafetensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        var ids = System.Runtime.InteropServices.MemoryMarshal.Cast<byte, long>(expected.Bytes("input_ids")).ToArray();
        using var stream = TokenStream.Of(RaggedBatch.Of([Array.ConvertAll(ids, id => (int)id)]));
        var logits = new float[expected[name].Count];
        expected.ReadFloats(name, logits);
        Compare.Absolute(tensor(logits).view([.. expected[name].Shape]), decoder.Logits(decoder.Hidden(stream)), Tolerances.Logits, $"{Path.GetFileName(folder)} {name}");
    }

    // The base is the one that the adapter names, or else one that its tensors fit.
    private static void Each(Action<string, ModelFiles> check)
    {
        Assert.SkipWhen(SharedData.MaySkip, "no reference data");
        var folders = SharedData.FoldersWith(AdapterConfig.FileName, "vectors").Where(f => File.Exists(Path.Combine(f, "expected.safetensors"))).ToArray();
        Assert.NotEmpty(folders);
        foreach (var folder in folders)
        {
            using var scope = NewDisposeScope();
            var named = Path.Combine(SharedData.PathOf("vectors"), AdapterConfig.Read(Path.Combine(folder, AdapterConfig.FileName)).BaseModel ?? "");
            check(folder, ModelFiles.OfFolder(File.Exists(Path.Combine(named, ModelFiles.Config)) ? named : Path.GetDirectoryName(folder)!));
        }
    }
}
