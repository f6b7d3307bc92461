using System.Text.Json;
using Attune.Core.Checkpoints.Gguf;
using Attune.Core.Tokens;
using Attune.Testing;
using Xunit;

namespace Attune.Core.Tests.Tokens;

/// <summary>llama.cpp's own vocabularies give llama.cpp's ids.</summary>
public class GgufVocabularyVectors
{
    private const string Separator = "\n__ggml_vocab_test__\n";

    [Fact]
    public void Ids_AreLlamaCpps()
    {
        Assert.SkipWhen(SharedData.MaySkip, "No reference data.");
        var checkedFiles = 0;
        foreach (var file in SharedData.Files("*.gguf", "tokenizers"))
        {
            if (!File.Exists(file + ".inp"))
                continue;
            checkedFiles++;
            Check(ReadVocabulary(file).ToTokenizer(file), file);
        }
        Assert.True(checkedFiles > 0);
    }

    [Fact]
    public void Vocabularies_ThereAndBack_GiveTheSame()
    {
        Assert.SkipWhen(SharedData.MaySkip, "No reference data.");
        var (written, refused) = (0, 0);
        foreach (var file in SharedData.Files("*tokenizer.json"))
        {
            var tokenizer = Tokenizer.Load(file);
            Tokenizer again;
            try
            {
                again = GgufVocabulary.Of(tokenizer).ToTokenizer();
                written++;
            }
            catch (TokenException e) when (e.Code == "ATT2503")
            {
                refused++;
                continue;
            }
            Assert.Equal(tokenizer.VocabularySize, again.VocabularySize);
            using var json = JsonDocument.Parse(tokenizer.ToJson());
            // GGUF has no place for a normalizer, nor for added tokens that take white space with them.
            if (json.RootElement.GetProperty("normalizer").ToString().Contains("NFC", StringComparison.Ordinal) || tokenizer.Added.Any(t => t.StripLeft || t.StripRight || t.SingleWord))
                continue;
            foreach (var text in TokenizerVectors.Texts().Where(t => !tokenizer.Added.Any(a => t.Contains(a.Text, StringComparison.Ordinal))))
                Assert.Equal(tokenizer.Encode(text), again.Encode(text));
        }
        Assert.True(written > 0 && refused > 0);
    }

    private static void Check(Tokenizer tokenizer, string file)
    {
        var texts = File.ReadAllText(file + ".inp").Split(Separator);
        var expected = File.ReadAllLines(file + ".out").Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse).ToArray()).ToArray();
        for (var i = 0; i < expected.Length; i++)
            Assert.True(expected[i].SequenceEqual(tokenizer.Encode(texts[i])), $"{Path.GetFileName(file)} {i} '{texts[i]}': {string.Join(' ', tokenizer.Encode(texts[i]))}, not {string.Join(' ', expected[i])}");
    }

    private static GgufVocabulary ReadVocabulary(string file)
    {
        using var gguf = GgufFile.Open(file);
        return GgufTokenizerKeys.Read(gguf.Metadata);
    }
}
