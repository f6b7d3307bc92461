using System.Text;
using System.Text.Json;
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
        var values = ReadMetadata(file);
        return new GgufVocabulary
        {
            Model = (string)values["tokenizer.ggml.model"],
            Pre = values.TryGetValue("tokenizer.ggml.pre", out var pre) ? (string)pre : "default",
            Tokens = [.. ((object[])values["tokenizer.ggml.tokens"]).Cast<string>()],
            Types = values.TryGetValue("tokenizer.ggml.token_type", out var types) ? [.. ((object[])types).Cast<int>()] : [],
            Merges = values.TryGetValue("tokenizer.ggml.merges", out var merges) ? [.. ((object[])merges).Cast<string>()] : [],
            Scores = values.TryGetValue("tokenizer.ggml.scores", out var scores) ? [.. ((object[])scores).Cast<float>()] : [],
            Unknown = values.TryGetValue("tokenizer.ggml.unknown_token_id", out var unknown) ? (int)(uint)unknown : null,
            AddSpacePrefix = !values.TryGetValue("tokenizer.ggml.add_space_prefix", out var prefix) || (bool)prefix,
        };
    }

    private static Dictionary<string, object> ReadMetadata(string file)
    {
        using var reader = new BinaryReader(File.OpenRead(file));
        Assert.Equal("GGUF", Encoding.ASCII.GetString(reader.ReadBytes(4)));
        reader.ReadUInt32();
        reader.ReadUInt64();
        var values = new Dictionary<string, object>(StringComparer.Ordinal);
        for (var count = reader.ReadUInt64(); count > 0; count--)
        {
            var key = Text(reader);
            values[key] = Value(reader, reader.ReadUInt32());
        }
        return values;
    }

    private static string Text(BinaryReader reader) => Encoding.UTF8.GetString(reader.ReadBytes((int)reader.ReadUInt64()));

    private static object Value(BinaryReader reader, uint type)
    {
        switch (type)
        {
            case 0: return reader.ReadByte();
            case 1: return reader.ReadSByte();
            case 2: return reader.ReadUInt16();
            case 3: return reader.ReadInt16();
            case 4: return reader.ReadUInt32();
            case 5: return reader.ReadInt32();
            case 6: return reader.ReadSingle();
            case 7: return reader.ReadBoolean();
            case 8: return Text(reader);
            case 9:
                var item = reader.ReadUInt32();
                var items = new object[reader.ReadUInt64()];
                for (var i = 0; i < items.Length; i++)
                    items[i] = Value(reader, item);
                return items;
            case 10: return reader.ReadUInt64();
            case 11: return reader.ReadInt64();
            default: return reader.ReadDouble();
        }
    }
}
