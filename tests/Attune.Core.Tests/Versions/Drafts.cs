using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Tests.Checkpoints;
using Attune.Core.Versions;

namespace Attune.Core.Tests.Versions;

/// <summary>Small models to store.</summary>
internal static class Drafts
{
    internal static DecoderConfig Config { get; } = new()
    {
        VocabularySize = 16, HiddenSize = 8, IntermediateSize = 12, Layers = 1, Heads = 2, KeyValueHeads = 1, HeadSize = 4, ContextLength = 32, TiedEmbeddings = true,
    };

    /// <summary>A model whose weights depend on <paramref name="scale"/> alone; its tokenizer is always the same.</summary>
    internal static VersionDraft Of(Scratch scratch, float scale, VersionKind kind = VersionKind.Base, string? parent = null, string stage = "pretrain")
    {
        var folder = scratch[FormattableString.Invariant($"model-{scale}")];
        Directory.CreateDirectory(folder);
        HuggingFaceConfig.Write(Path.Combine(folder, ModelFiles.Config), Config);
        SafetensorsWriter.Write(Path.Combine(folder, ModelFiles.Weights), TensorNames.All(Config).Select((tensor, index) =>
        {
            var values = new float[tensor.Shape.Aggregate(1L, (a, b) => a * b)];
            for (var i = 0; i < values.Length; i++)
                values[i] = (index == 0 ? scale : 1) * (i + 1);
            return TensorSource.Of(tensor.Name, tensor.Shape, values);
        }));
        File.WriteAllText(Path.Combine(folder, ModelFiles.Tokenizer), "{\"a\":\"tokenizer\"}");
        File.WriteAllText(Path.Combine(folder, ".hidden"), "not part of a model");
        return new(kind, ModelFiles.OfFolder(folder), Lineage(scale, parent, stage));
    }

    internal static Lineage Lineage(float scale, string? parent, string stage) => new()
    {
        Parent = parent,
        Stage = stage,
        Options = new JsonObject { ["learning_rate"] = 0.001 * scale, ["steps"] = 100 },
        Data = [new("corpus.jsonl", new string('a', 64), 1000)],
        Seed = 7,
        CodeVersion = "0.1.0",
        Facts = new JsonObject { ["tokens"] = 12345 },
    };
}
