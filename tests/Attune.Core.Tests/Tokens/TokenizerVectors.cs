using System.Text.Json;
using Attune.Core.Tokens;
using Attune.Testing;
using Xunit;

namespace Attune.Core.Tests.Tokens;

/// <summary>Encodings, offsets and decodings of the reference, exact, both ways; and again after a round trip through Save.</summary>
public class TokenizerVectors
{
    /// <summary>Each list of encodings with the tokenizer.json that made it.</summary>
    public static IEnumerable<(string Encodings, string Tokenizer)> Cases()
    {
        foreach (var encodings in SharedData.Files("*.jsonl", "vectors", "tokenizers"))
        {
            var own = Path.Combine(Path.GetDirectoryName(encodings)!, "tokenizer.json");
            yield return (encodings, File.Exists(own) ? own : SharedData.PathOf("tokenizers", Path.GetFileNameWithoutExtension(encodings), "tokenizer.json"));
        }
    }

    [Fact]
    public void Encodings_AreTheReferences()
    {
        Assert.SkipWhen(SharedData.MaySkip, "No reference data.");
        var cases = Cases().ToArray();
        Assert.NotEmpty(cases);
        var wrong = new List<string>();
        foreach (var (encodings, file) in cases)
        {
            var tokenizer = SavedAndLoaded(Tokenizer.Load(file));
            var count = 0;
            foreach (var line in File.ReadLines(encodings))
            {
                using var json = JsonDocument.Parse(line);
                count++;
                if (Compare(tokenizer, json.RootElement) is { } difference)
                    wrong.Add($"{Path.GetRelativePath(SharedData.Root!, encodings)}:{count}: {difference}");
            }
            Assert.True(count > 0);
        }
        Assert.True(wrong.Count == 0, $"{wrong.Count} differ:\n{string.Join('\n', wrong.Take(30))}");
    }

    [Fact]
    public void EveryPublishedFile_Loads_AndComesBack()
    {
        Assert.SkipWhen(SharedData.MaySkip, "No reference data.");
        var files = SharedData.Files("*tokenizer.json");
        Assert.NotEmpty(files);
        foreach (var file in files)
        {
            var tokenizer = Tokenizer.Load(file);
            var again = SavedAndLoaded(tokenizer);
            Assert.Equal(tokenizer.Digest, again.Digest);
            Assert.Equal(tokenizer.AddedTokens, again.AddedTokens);
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            foreach (var token in json.RootElement.GetProperty("added_tokens").EnumerateArray())
            {
                var text = token.GetProperty("content").GetString()!;
                Assert.Equal(token.GetProperty("id").GetInt32(), tokenizer.IdOf(text));
                Assert.Equal(text, tokenizer.TokenText(token.GetProperty("id").GetInt32()));
            }
        }
    }

    [Fact]
    public void VocabularyAndMerges_GiveWhatTheJsonGives()
    {
        Assert.SkipWhen(SharedData.MaySkip, "No reference data.");
        var merges = SharedData.Files("*_merges.txt", "tokenizers");
        Assert.NotEmpty(merges);
        foreach (var file in merges)
        {
            var stem = file[..^"_merges.txt".Length];
            var whole = Tokenizer.Load(stem + "_tokenizer.json");
            var parts = GptFiles.Load(stem + "_vocab.json", file, WordSplit.Qwen2, normalize: true, [.. whole.Added.Select(t => t.Text)]);
            foreach (var text in Texts().Concat(whole.Added.Select(t => "a " + t.Text + " b")))
                Assert.Equal(whole.Encode(text), parts.Encode(text));
        }
    }

    [Fact]
    public void EncodingsMadeElsewhere_AreTheSame()
    {
        Assert.SkipWhen(SharedData.MaySkip, "No reference data.");
        var checkedFiles = 0;
        foreach (var file in SharedData.Files("*_encoded.json", "tokenizers"))
        {
            var tokenizer = SharedData.Files("tokenizer.json", "tokenizers").FirstOrDefault(t => file.Contains(Path.GetFileName(Path.GetDirectoryName(t)!) + "_encoded", StringComparison.Ordinal));
            if (tokenizer is null)
                continue;
            checkedFiles++;
            using var json = JsonDocument.Parse(File.ReadAllBytes(file));
            var loaded = Tokenizer.Load(tokenizer);
            var ids = json.RootElement.GetProperty("token_ids").EnumerateArray().Select(i => i.GetInt32()).ToArray();
            Assert.Equal(ids, loaded.Encode(json.RootElement.GetProperty("text").GetString()!));
            Assert.Equal(json.RootElement.GetProperty("bpe_tokens").EnumerateArray().Select(t => t.GetString()), ids.Select(loaded.TokenText));
            Assert.Equal(json.RootElement.GetProperty("decoded_text").GetString(), loaded.Decode(ids));
        }
        Assert.True(checkedFiles > 0);
    }

    /// <summary>Texts of the vectors, without repetition.</summary>
    internal static IEnumerable<string> Texts() => SharedData.Files("*.jsonl", "vectors", "tokenizers").Take(1)
        .SelectMany(File.ReadLines).Select(line =>
        {
            using var json = JsonDocument.Parse(line);
            return json.RootElement.GetProperty("text").GetString()!;
        });

    private static string? Compare(Tokenizer tokenizer, JsonElement json)
    {
        var text = json.GetProperty("text").GetString()!;
        var ids = Ints(json.GetProperty("ids"));
        var plain = Ints(json.GetProperty("ids_no_special"));
        if (!tokenizer.Encode(text).SequenceEqual(plain))
            return $"'{text}' gives {string.Join(' ', tokenizer.Encode(text))}, not {string.Join(' ', plain)}";
        if (!tokenizer.Encode(text, addSpecialTokens: true).SequenceEqual(ids))
            return $"'{text}' with special tokens gives {string.Join(' ', tokenizer.Encode(text, true))}, not {string.Join(' ', ids)}";
        var offsets = json.GetProperty("offsets").EnumerateArray().Select(o => (o[0].GetInt32(), o[1].GetInt32())).ToArray();
        var encoding = tokenizer.EncodeWithOffsets(text, addSpecialTokens: offsets.Length == ids.Length && ids.Length != plain.Length);
        if (!encoding.Offsets.SequenceEqual(offsets))
            return $"'{text}' has offsets {string.Join(' ', encoding.Offsets)}, not {string.Join(' ', offsets)}";
        if (tokenizer.Decode(plain) != json.GetProperty("decoded").GetString())
            return $"decoding gives '{tokenizer.Decode(plain)}', not '{json.GetProperty("decoded").GetString()}'";
        if (tokenizer.Decode(plain, skipSpecialTokens: true) != json.GetProperty("decoded_skip").GetString())
            return $"decoding without special tokens gives '{tokenizer.Decode(plain, true)}', not '{json.GetProperty("decoded_skip").GetString()}'";
        var stream = new StreamingDecoder(tokenizer);
        var streamed = string.Concat(plain.Select(stream.Append)) + stream.Flush();
        return streamed == json.GetProperty("decoded_skip").GetString() ? null : $"streaming gives '{streamed}', not '{json.GetProperty("decoded_skip").GetString()}'";
    }

    private static int[] Ints(JsonElement list) => [.. list.EnumerateArray().Select(i => i.GetInt32())];

    private static Tokenizer SavedAndLoaded(Tokenizer tokenizer)
    {
        var path = Path.GetTempFileName();
        try
        {
            tokenizer.Save(path);
            return Tokenizer.Load(path);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
