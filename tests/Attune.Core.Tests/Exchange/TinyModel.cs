using Attune.Core.Checkpoints;
using Attune.Core.Tests.Checkpoints;
using Attune.Core.Tokens;
using Attune.Core.Versions;

namespace Attune.Core.Tests.Exchange;

/// <summary>A Hugging Face folder of a few thousand parameters, made here.</summary>
internal static class TinyModel
{
    /// <summary>Writes the folder; with a chat template where one is given, and rows of the embedding that no token has.</summary>
    public static string Write(Scratch scratch, string name = "tiny", string? template = null, int spareRows = 0, Func<DecoderConfig, DecoderConfig>? change = null)
    {
        var folder = Directory.CreateDirectory(scratch[name]).FullName;
        var tokenizer = BpeTrainer.Train(["the quick brown fox jumps over the lazy dog, the quick brown fox"], new() { VocabularySize = 320, Split = WordSplit.Gpt2, Threads = 1 });
        var config = new DecoderConfig
        {
            VocabularySize = tokenizer.VocabularySize + spareRows, HiddenSize = 8, IntermediateSize = 16, Layers = 2, Heads = 2, KeyValueHeads = 1, HeadSize = 4, ContextLength = 32,
            BosTokenId = 0, EosTokenIds = [0], PadTokenId = 1,
        };
        config = change?.Invoke(config) ?? config;
        HuggingFaceConfig.Write(Path.Combine(folder, ModelFiles.Config), config);
        var next = 0;
        SafetensorsWriter.Write(Path.Combine(folder, ModelFiles.Weights), TensorNames.All(config).Select(t =>
            TensorSource.Of(t.Name, t.Shape, Enumerable.Range(0, (int)t.Shape.Aggregate(1L, (a, b) => a * b)).Select(_ => MathF.Sin(next++)).ToArray())));
        tokenizer.Save(Path.Combine(folder, ModelFiles.Tokenizer));
        if (template is not null)
            File.WriteAllText(Path.Combine(folder, ModelFiles.ChatTemplate), template);
        return folder;
    }
}
