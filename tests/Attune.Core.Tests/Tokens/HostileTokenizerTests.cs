using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Core.Tokens;
using Attune.Prompts;
using Xunit;

namespace Attune.Core.Tests.Tokens;

/// <summary>A broken or hostile file gets a typed error that names the field; nothing hangs, nothing allocates what a file claims.</summary>
public class HostileTokenizerTests
{
    private static readonly byte[] Sound = BpeTrainer.Train(["the cat sat on the mat, the cat sat"], new BpeTrainerOptions { VocabularySize = 288 }).ToJson().ToArray();

    [Theory]
    [InlineData("$.model.vocab.!", "4194304")]
    [InlineData("$.model.vocab.!", "2147483648")]
    [InlineData("$.model.vocab.!", "-1")]
    [InlineData("$.model.vocab.!", "1e30")]
    [InlineData("$.model.vocab.!", "17")]
    [InlineData("$.added_tokens[0].id", "1152921504606846976")]
    [InlineData("$.added_tokens[0].content", "7")]
    [InlineData("$.added_tokens", "{}")]
    [InlineData("$.model", "null")]
    [InlineData("$.model.type", "\"Magic\"")]
    [InlineData("$.model.vocab", "[]")]
    [InlineData("$.model.dropout", "0.1")]
    [InlineData("$.model.unk_token", "\"nowhere\"")]
    [InlineData("$.model.merges", "[[\"t\"]]")]
    [InlineData("$.model.merges", "[\"t h e\"]")]
    [InlineData("$.model.merges", "[[\"t\", \"nowhere\"]]")]
    [InlineData("$.model.merges", "[[\"t\", \"\"]]")]
    [InlineData("$.pre_tokenizer", "{\"type\": \"Magic\"}")]
    [InlineData("$.pre_tokenizer", "{\"type\": \"Split\", \"pattern\": {\"Regex\": \"(\"}, \"behavior\": \"Isolated\"}")]
    [InlineData("$.pre_tokenizer", "{\"type\": \"Split\", \"pattern\": {\"String\": \" \"}, \"behavior\": \"Perhaps\"}")]
    [InlineData("$.pre_tokenizer", "5")]
    [InlineData("$.normalizer", "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"/////w==\"}")]
    [InlineData("$.normalizer", "{\"type\": \"Precompiled\", \"precompiled_charsmap\": \"not base64\"}")]
    [InlineData("$.post_processor", "{\"type\": \"TemplateProcessing\", \"single\": [{\"SpecialToken\": {\"id\": \"x\"}}], \"special_tokens\": {}}")]
    [InlineData("$.decoder", "{\"type\": \"Strip\", \"content\": \"ab\", \"start\": 1, \"stop\": 0}")]
    public void AWrongField_IsNamed(string path, string value)
    {
        var error = Assert.Throws<TokenException>(() => Tokenizer.Parse(With(path, value), "tokenizer.json"));
        Assert.Equal("tokenizer.json", error.File);
        Assert.NotNull(error.Field);
        Assert.StartsWith(path[2..].Split('.', '[')[0], error.Field, StringComparison.Ordinal);
    }

    [Fact]
    public void NotJson_SaysTheLine()
    {
        Assert.Equal("ATT2501", Assert.Throws<TokenException>(() => Tokenizer.Parse([])).Code);
        Assert.Equal("ATT2501", Assert.Throws<TokenException>(() => Tokenizer.Parse(Sound[..^200])).Code);
        Assert.Equal("ATT2501", Assert.Throws<TokenException>(() => Tokenizer.Parse(Encoding.UTF8.GetBytes(new string('[', 100_000)))).Code);
        Assert.Equal(2, Assert.Throws<TokenException>(() => Tokenizer.Parse("{\n x"u8.ToArray())).Line);
    }

    [Fact]
    public void NestedSequences_EndInAnError()
    {
        var nested = new StringBuilder("{\"type\":\"NFC\"}");
        for (var i = 0; i < 2000; i++)
            nested.Insert(0, "{\"type\":\"Sequence\",\"normalizers\":[").Append("]}");
        var json = Encoding.UTF8.GetString(Sound).Replace("\"normalizer\": null", "\"normalizer\": " + nested, StringComparison.Ordinal);
        Assert.Equal("ATT2501", Assert.Throws<TokenException>(() => Tokenizer.Parse(Encoding.UTF8.GetBytes(json))).Code);
    }

    [Fact]
    public void MergesThatGoInCircles_StillEnd()
    {
        // a+b makes ab, and ab+ab makes abab; then abab is said to come of b+bab too: every merge shortens the word, so it ends.
        var json = """{"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"abab":3,"ba":4,"bab":5},"merges":[["b","a"],["a","b"],["ab","ab"],["ba","b"],["a","bab"]]}}""";
        var tokenizer = Tokenizer.Parse(Encoding.UTF8.GetBytes(json));
        Assert.Equal("abababab", string.Concat(tokenizer.Encode("abababab").Select(tokenizer.TokenText)));
        Assert.Throws<TokenException>(() => Tokenizer.Parse(Encoding.UTF8.GetBytes("""{"model":{"type":"BPE","vocab":{"a":0,"":1},"merges":[["a",""]]}}""")));
    }

    [Fact]
    public void ALongWord_IsNotQuadratic()
    {
        var tokenizer = Tokenizer.Parse(Sound);
        var text = new string('t', 1_000_000);
        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
    }

    [Fact]
    public void Fuzz_OnlyTypedErrors()
    {
        var random = new Random(2024);
        var files = new[] { Sound, Encoding.UTF8.GetBytes(Unigram), Encoding.UTF8.GetBytes(SentencePiece) };
        var (loaded, refused) = (0, 0);
        for (var round = 0; round < 3000; round++)
        {
            var bytes = files[round % files.Length].ToArray();
            for (var n = random.Next(1, 4); n > 0; n--)
                Mutate(ref bytes, random);
            try
            {
                var tokenizer = Tokenizer.Parse(bytes);
                var ids = tokenizer.Encode("the cat <|im_end|> né 海 \uD800 x");
                _ = tokenizer.Decode(ids);
                tokenizer.Encode("the <|im_end|> </s>", [new TextSpan(2, 9)], []);
                loaded++;
            }
            catch (TokenException)
            {
                refused++;
            }
        }
        Assert.True(loaded > 50 && refused > 50, $"{loaded} loaded, {refused} refused");
    }

    private const string Unigram = """
        {"added_tokens":[{"id":0,"content":"</s>","special":true,"normalized":false,"lstrip":false,"rstrip":true,"single_word":false}],
        "normalizer":{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"Lowercase"},{"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "}]},
        "pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"WhitespaceSplit"},{"type":"Metaspace","replacement":"▁","prepend_scheme":"always"}]},
        "post_processor":{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A"}},{"SpecialToken":{"id":"</s>"}}],"special_tokens":{"</s>":{"ids":[0]}}},
        "decoder":{"type":"Metaspace","replacement":"▁"},
        "model":{"type":"Unigram","unk_id":1,"vocab":[["</s>",0],["<unk>",0],["▁",-2],["▁the",-3.5],["t",-4],["h",-4.5],["cat",-5],["<0x41>",-9]],"byte_fallback":true}}
        """;

    private const string SentencePiece = """
        {"added_tokens":[{"id":1,"content":"</s>","special":true,"normalized":true}],
        "normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]},
        "decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},
        "model":{"type":"BPE","unk_token":"<unk>","fuse_unk":true,"byte_fallback":true,"vocab":{"<unk>":0,"</s>":1,"▁":2,"t":3,"h":4,"e":5,"th":6,"the":7,"▁the":8},"merges":["t h","th e","▁ the"]}}
        """;

    /// <summary>A byte, a number, a stretch gone or a stretch twice.</summary>
    private static void Mutate(ref byte[] bytes, Random random)
    {
        var at = random.Next(bytes.Length);
        switch (random.Next(4))
        {
            case 0:
                bytes[at] = (byte)random.Next(256);
                break;
            case 1:
                var digit = Array.FindIndex(bytes, at, b => b is >= (byte)'0' and <= (byte)'9');
                if (digit >= 0)
                    bytes = [.. bytes[..digit], .. Encoding.ASCII.GetBytes(new[] { "-1", "99999999999", "0", "1e9", "null", "[]", "\"x\"" }[random.Next(7)]), .. bytes[(digit + 1)..]];
                break;
            case 2:
                bytes = [.. bytes[..at], .. bytes[Math.Min(bytes.Length, at + random.Next(30))..]];
                break;
            default:
                bytes = [.. bytes[..at], .. bytes[random.Next(at + 1)..at], .. bytes[at..]];
                break;
        }
        if (bytes.Length == 0)
            bytes = [0];
    }

    private static byte[] With(string path, string value)
    {
        var root = JsonNode.Parse(Sound)!;
        var names = path[2..].Replace("[", ".[", StringComparison.Ordinal).Split('.');
        var node = root;
        foreach (var name in names[..^1])
            node = name[0] == '[' ? node[int.Parse(name[1..^1])]! : node[name]!;
        if (names[^1] is var last && node is JsonObject target)
            target[last] = JsonNode.Parse(value);
        return JsonSerializer.SerializeToUtf8Bytes(root);
    }
}
