using System.Text.Json;
using Attune.Core.Versions;
using Attune.Testing;

namespace Attune.Inference.Tests;

/// <summary>Real checkpoints with their tokenizer: text in, the reference's greedy text out.</summary>
public sealed class PretrainedVectors
{
    [Fact]
    public async Task Greedy_continuations_are_those_of_transformers()
    {
        Assert.SkipWhen(SharedData.MaySkip, "no reference data");
        var found = 0;
        foreach (var folder in SharedData.FoldersWith("expected.json", "vectors"))
        {
            using var expected = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "expected.json")));
            if (!expected.RootElement.TryGetProperty("greedy_text", out var text) || !File.Exists(Path.Combine(folder, ModelFiles.Tokenizer)))
                continue;
            found++;
            using var model = LocalModel.Open(ModelFiles.OfFolder(folder));
            int[] prompt = [.. expected.RootElement.GetProperty("prompt_ids").EnumerateArray().Select(e => e.GetInt32())];
            int[] whole = [.. expected.RootElement.GetProperty("greedy_ids").EnumerateArray().Select(e => e.GetInt32())];
            var got = (await model.GenerateAsync([prompt], new() { MaxTokens = whole.Length - prompt.Length }))[0];
            Assert.Equal(whole[prompt.Length..], got.Ids);
            Assert.Equal(text.GetString(), model.Tokenizer.Decode(prompt) + got.Text);
            Assert.Equal(prompt, model.Encode(model.Tokenizer.Decode(prompt)));
        }
        Assert.True(found > 0, "no pretrained model found");
    }
}
