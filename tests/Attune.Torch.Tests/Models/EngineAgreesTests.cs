using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Randomness;
using Attune.Core.Versions;
using Attune.Inference;
using Attune.Torch.Models;
using TorchSharp;

namespace Attune.Torch.Tests.Models;

/// <summary>The engine in C# against libtorch's forward: the same weights, the same logits.</summary>
public sealed class EngineAgreesTests
{
    [Theory]
    [InlineData(4, 2, 32, true)]
    [InlineData(3, 3, 24, false)]
    [InlineData(8, 1, 16, true)]
    public void Logits_are_those_of_libtorch(int heads, int keyValueHeads, int headSize, bool tied)
    {
        using var scope = torch.NewDisposeScope();
        var config = new DecoderConfig
        {
            VocabularySize = 211, HiddenSize = 96, IntermediateSize = 150, Layers = 3, Heads = heads, KeyValueHeads = keyValueHeads, HeadSize = headSize,
            ContextLength = 256, TiedEmbeddings = tied, InitializerRange = 0.2,
        };
        using var decoder = new Decoder(config);
        decoder.Initialise(3);
        var folder = Directory.CreateTempSubdirectory("attune-agree-").FullName;
        try
        {
            decoder.Save(Path.Combine(folder, ModelFiles.Weights));
            HuggingFaceConfig.Write(Path.Combine(folder, ModelFiles.Config), config);
            using var weights = DecoderWeights.Load(ModelFiles.OfFolder(folder));
            using var engine = new InferenceEngine(weights);
            var random = RandomStream.Of(1, "agree");
            foreach (var length in (int[])[1, 7, 200])
            {
                var ids = Enumerable.Range(0, length).Select(_ => random.Next(config.VocabularySize)).ToArray();
                using var stream = TokenStream.Of(RaggedBatch.Of([ids]));
                using var quiet = torch.no_grad();
                var want = decoder.Logits(decoder.Hidden(stream)).data<float>().ToArray();
                var got = engine.Forward(ids).SelectMany(row => row).ToArray();
                var scale = want.Max(MathF.Abs);
                Assert.Equal(want.Length, got.Length);
                Assert.True(want.Zip(got, (a, b) => MathF.Abs(a - b)).Max() <= 1e-4f * MathF.Max(1, scale));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
