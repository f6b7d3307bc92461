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
        var tensors = TensorNames.All(config).Select(t =>
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

    /// <summary>A window that neither pages nor tiles divide, norms on heads, biases where the family has them.</summary>
    public static DecoderConfig Sliding { get; } = Odd with
    {
        Architecture = "Gemma3ForCausalLM", TiedEmbeddings = true, Norm = NormKind.RmsPlusOne, NormPlacement = NormPlacement.BeforeAndAfter, QueryKeyNorm = QueryKeyNorm.PerHead,
        Activation = Activation.GeluTanh, AttentionScale = 0.25, EmbeddingScale = Math.Sqrt(Odd.HiddenSize), RopeTheta = 1_000_000, LocalRopeTheta = 10_000,
        SlidingWindow = 37, LayerAttentions = [LayerAttention.Sliding, LayerAttention.Full],
    };

    /// <summary>Learned positions, biases everywhere, LayerNorm, a plain feed-forward layer.</summary>
    public static DecoderConfig Gpt2 { get; } = Odd with
    {
        Architecture = "GPT2LMHeadModel", HiddenSize = 120, KeyValueHeads = 6, TiedEmbeddings = true, Norm = NormKind.Layer, LearnedPositions = true, GatedFeedForward = false,
        Activation = Activation.GeluTanh, AttentionBias = true, OutputBias = true, FeedForwardBias = true,
    };

    /// <summary>Side-by-side residuals with a norm each, a part of each head rotated, heads fused one by one.</summary>
    public static DecoderConfig Parallel { get; } = Gpt2 with
    {
        Architecture = "GPTNeoXForCausalLM", TiedEmbeddings = false, LearnedPositions = false, Activation = Activation.Gelu, RotaryShare = 0.4, ParallelResidual = true,
    };

    /// <summary>longrope with a small original window.</summary>
    public static DecoderConfig LongRope { get; } = Odd with
    {
        Architecture = "Phi3ForCausalLM", HiddenSize = 120,
        RopeScaling = new("longrope") { OriginalContext = 40, ShortFactors = [.. Enumerable.Repeat(1.1, 10)], LongFactors = [.. Enumerable.Repeat(3.5, 10)] },
    };

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
