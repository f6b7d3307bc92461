using System.Runtime.InteropServices;
using Attune.Core.Checkpoints;
using Attune.Core.Randomness;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Prompts;

namespace Attune.Bench;

/// <summary>A checkpoint of TinyLlama's shape, 1.1 B parameters, with random bfloat16 weights, a small tokenizer and ChatML, and something to train it on.</summary>
internal static class BigCheckpoint
{
    public static DecoderConfig Config { get; } = new()
    {
        VocabularySize = 32_000, HiddenSize = 2048, IntermediateSize = 5632, Layers = 22, Heads = 32, KeyValueHeads = 4, HeadSize = 64,
        ContextLength = 2048, BosTokenId = 1, EosTokenIds = [2], Dtype = "bfloat16",
    };

    /// <summary>Writes the folder, tensor by tensor: uniform numbers of deviation .02, norms of one. Returns the bytes of the weights.</summary>
    public static long Write(string folder)
    {
        Directory.CreateDirectory(folder);
        HuggingFaceConfig.Write(Path.Combine(folder, ModelFiles.Config), Config);
        var tokenizer = BpeTrainer.Train(["a few words for a few tokens"], new BpeTrainerOptions { VocabularySize = 300, SpecialTokens = ["<|endoftext|>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"] });
        File.WriteAllBytes(Path.Combine(folder, ModelFiles.Tokenizer), tokenizer.ToJson().ToArray());
        File.WriteAllText(Path.Combine(folder, ModelFiles.ChatTemplate), BuiltInContracts.ByName("chatml", tokenizer).Template.Source);
        var weights = Path.Combine(folder, ModelFiles.Weights);
        SafetensorsWriter.Write(weights, TensorNames.All(Config).Select(t => new TensorSource(t.Name, TensorType.BF16, t.Shape, stream => Fill(stream, t.Name, t.Shape))));
        return new FileInfo(weights).Length;
    }

    /// <summary>Writes conversations of <paramref name="tokens"/> tokens in ChatML, nearly all of them the assistant's.</summary>
    /// <param name="path">The file.</param>
    /// <param name="folder">The checkpoint, for its tokenizer.</param>
    /// <param name="rows">How many.</param>
    /// <param name="tokens">Of each.</param>
    public static void WriteTalks(string path, string folder, int rows, int tokens)
    {
        const string question = "Go on.";
        var around = Tokenizer.Load(Path.Combine(folder, ModelFiles.Tokenizer)).Encode($"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n<|im_end|>\n").Length;
        File.WriteAllLines(path, Enumerable.Range(0, rows).Select(row =>
        {
            // Digits: the tokenizer knows no two of them together.
            var random = RandomStream.Of(1, "bench", $"talk {row}");
            var answer = string.Concat(Enumerable.Range(0, tokens - around).Select(_ => (char)('0' + random.Next(10))));
            return $$"""{"messages": [{"role": "user", "content": "{{question}}"}, {"role": "assistant", "content": "{{answer}}"}]}""";
        }));
    }

    private static void Fill(Stream stream, string name, long[] shape)
    {
        var random = RandomStream.Of(1, "bench", name);
        var (left, buffer) = (shape.Aggregate(1L, (a, b) => a * b), new ushort[1 << 16]);
        for (; left > 0; left -= buffer.Length)
        {
            var part = buffer.AsSpan(0, (int)Math.Min(left, buffer.Length));
            for (var i = 0; i < part.Length; i++)
                part[i] = FloatConversion.ToBFloat16(shape.Length == 1 ? 1 : (float)((2 * random.NextDouble() - 1) * 0.0346));
            stream.Write(MemoryMarshal.AsBytes(part));
        }
    }
}
