using System.Text.Json;
using Attune.Core.Tokens;
using Attune.Testing;
using Xunit;

namespace Attune.Core.Tests.Tokens;

/// <summary>Training gives the reference's merges, in order.</summary>
public class BpeTrainerVectors
{
    [Fact]
    public void Merges_AreTheReferences()
    {
        Assert.SkipWhen(SharedData.MaySkip, "No reference data.");
        var cases = SharedData.Files("train-*.json", "vectors", "tokenizers");
        Assert.NotEmpty(cases);
        foreach (var file in cases)
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            var expected = json.RootElement.GetProperty("merges").EnumerateArray().Select(m => (m[0].GetString()!, m[1].GetString()!)).ToArray();
            var lines = Lines(SharedData.PathOf(json.RootElement.GetProperty("corpus").GetString()!)).ToArray();
            Assert.StartsWith("ByteLevel(add_prefix_space=False", json.RootElement.GetProperty("pre_tokenizer").GetString(), StringComparison.Ordinal);
            foreach (var threads in new[] { 1, 2 })
            {
                var tokenizer = BpeTrainer.Train(lines, new BpeTrainerOptions
                {
                    Split = WordSplit.Gpt2,
                    VocabularySize = json.RootElement.GetProperty("vocab_size").GetInt32(),
                    SpecialTokens = [.. json.RootElement.GetProperty("special_tokens").EnumerateArray().Select(t => t.GetString()!)],
                    MinFrequency = json.RootElement.TryGetProperty("min_frequency", out var least) ? least.GetInt32() : 0,
                    RoundTo = 1,
                    Threads = threads,
                });
                Assert.Equal(expected, MergesOf(tokenizer));
            }
        }
    }

    internal static (string, string)[] MergesOf(Tokenizer tokenizer)
    {
        using var json = JsonDocument.Parse(tokenizer.ToJson());
        return [.. json.RootElement.GetProperty("model").GetProperty("merges").EnumerateArray().Select(m => (m[0].GetString()!, m[1].GetString()!))];
    }

    /// <summary>Lines with their ends, as the reference reads files.</summary>
    private static IEnumerable<string> Lines(string path)
    {
        var text = File.ReadAllText(path);
        for (var at = 0; at < text.Length;)
        {
            var end = text.IndexOf('\n', at) is var found and >= 0 ? found + 1 : text.Length;
            yield return text[at..end];
            at = end;
        }
    }
}
