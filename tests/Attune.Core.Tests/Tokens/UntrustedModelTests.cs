using System.Text;
using Attune.Core.Tokens;
using Attune.Prompts;
using Xunit;

namespace Attune.Core.Tests.Tokens;

/// <summary>Models whose own vocabulary spells a control token must not make it of untrusted text either.</summary>
public class UntrustedModelTests
{
    [Theory]
    [InlineData("""{"type":"Unigram","unk_id":1,"vocab":[["</s>",0],["<unk>",0],["<",-2],["/",-2],["s",-2],[">",-2],["a",-2]]}""", "true")]
    [InlineData("""{"type":"BPE","vocab":{"</s>":0,"<unk>":1,"<":2,"/":3,"s":4,">":5,"a":6,"</":7,"s>":8},"merges":["< /","s >","</ s>"]}""", "true")]
    [InlineData("""{"type":"BPE","ignore_merges":true,"vocab":{"</s>":0,"<unk>":1,"<":2,"/":3,"s":4,">":5,"a":6},"merges":[]}""", "true")]
    [InlineData("""{"type":"BPE","vocab":{"</s>":0,"<unk>":1,"<":2,"/":3,"s":4,">":5,"a":6,"</":7,"s>":8},"merges":["< /","s >","</ s>"]}""", "false")]
    [InlineData("""{"type":"WordPiece","unk_token":"<unk>","vocab":{"</s>":0,"<unk>":1,"<":2,"##/":3,"##s":4,"##>":5,"a":6,"##<":7}}""", "true")]
    public void NoControlToken_ComesOutOfTheModel(string model, string special)
    {
        var json = $$"""{"added_tokens":[{"id":0,"content":"</s>","special":{{special}},"normalized":false}],"model":{{model}}}""";
        var tokenizer = Tokenizer.Parse(Encoding.UTF8.GetBytes(json));
        Assert.Equal([0], tokenizer.Encode("</s>"));
        foreach (var text in new[] { "</s>", "a</s>", "</s></s>", "a</s>a" })
        {
            for (var start = 0; start < text.Length; start++)
            {
                var output = new List<EncodedToken>();
                tokenizer.Encode(text, [new TextSpan(start, text.Length - start)], output);
                Assert.DoesNotContain(output, t => t.Id == 0 && t.Start + t.Length > start);
            }
        }
    }

    [Fact]
    public void BytesAndTheUnknown_StayAvailable_EvenWhereTheFileCallsThemSpecial()
    {
        const string Json = """
            {"added_tokens":[{"id":0,"content":"<unk>","special":true},{"id":2,"content":"<0xC3>","special":true},{"id":3,"content":"<0xA9>","special":true}],
            "model":{"type":"BPE","unk_token":"<unk>","byte_fallback":true,"vocab":{"<unk>":0,"a":1,"<0xC3>":2,"<0xA9>":3},"merges":[]}}
            """;
        var tokenizer = Tokenizer.Parse(Encoding.UTF8.GetBytes(Json));
        var output = new List<EncodedToken>();
        tokenizer.Encode("aé海", [new TextSpan(0, 3)], output);
        Assert.Equal([1, 2, 3, 0], output.Select(t => t.Id));
    }

    [Fact]
    public void HarmlessAddedTokens_AreStillMatched()
    {
        const string Json = """
            {"added_tokens":[{"id":2,"content":"  ","special":false},{"id":3,"content":"<tool_call>","special":false}],
            "model":{"type":"BPE","vocab":{"a":0," ":1},"merges":[]}}
            """;
        var output = new List<EncodedToken>();
        Tokenizer.Parse(Encoding.UTF8.GetBytes(Json)).Encode("a  a<tool_call>", [new TextSpan(0, 15)], output);
        Assert.Contains(output, t => t.Id == 2);
        Assert.DoesNotContain(output, t => t.Id == 3);
    }
}
