using System.Runtime.InteropServices;
using Attune.Core.Checkpoints;
using Attune.Core.Randomness;
using Attune.Core.Versions;

namespace Attune.Inference.Tests;

/// <summary>A decoder with random weights in a folder of its own.</summary>
internal sealed class TestModel : IDisposable
{
    public TestModel(DecoderConfig config, long seed = 1, float scale = 0.2f)
    {
        Folder = Directory.CreateTempSubdirectory("attune-engine-").FullName;
        var random = RandomStream.Of(seed, "test model");
        var tensors = LlamaNames.All(config).Select(t =>
        {
            var values = new float[t.Shape.Aggregate(1L, (a, b) => a * b)];
            for (var i = 0; i < values.Length; i++)
                values[i] = t.Shape.Length == 1 ? 1 + 0.1f * (float)random.NextGaussian() : scale * (float)random.NextGaussian();
            return TensorSource.Of(t.Name, TensorType.F32, t.Shape, MemoryMarshal.AsBytes<float>(values).ToArray());
        });
        SafetensorsWriter.Write(Path.Combine(Folder, ModelFiles.Weights), tensors.ToArray(), new Dictionary<string, string>());
        HuggingFaceConfig.Write(Path.Combine(Folder, ModelFiles.Config), config);
        Files = ModelFiles.OfFolder(Folder);
    }

    public string Folder { get; }

    public ModelFiles Files { get; }

    /// <summary>Odd sizes on purpose: a width that is no multiple of 16, a head of 20, groups of three.</summary>
    public static DecoderConfig Odd { get; } = new()
    {
        VocabularySize = 83, HiddenSize = 72, IntermediateSize = 90, Layers = 2, Heads = 6, KeyValueHeads = 2, HeadSize = 20, ContextLength = 512,
    };

    public static DecoderConfig Small { get; } = new()
    {
        VocabularySize = 128, HiddenSize = 64, IntermediateSize = 96, Layers = 2, Heads = 4, KeyValueHeads = 4, HeadSize = 16, ContextLength = 256, TiedEmbeddings = true,
    };

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
