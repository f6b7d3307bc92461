using System.Text;
using Attune.Core.Tokens;
using Attune.Core.Tokens.Patterns;
using CsCheck;
using Xunit;

namespace Attune.Core.Tests.Tokens;

/// <summary>The scanners written by hand cut where the patterns cut.</summary>
public class WordSplitTests
{
    private static readonly string[] Pieces =
    [
        " ", "  ", "\t", "\n", "\r\n", "\r", "\u00A0", "\u3000", "\u2028", "\u0085", "a", "B", "word", "'s", "'S", "'ll", "'Ll", "'re", "'VE", "'m", "'d", "'t", "'", "'\u017F", "x",
        "é", "e\u0301", "海", "海边", "。", "，", "1", "12", "12345", "Ⅷ", "½", "٣", ".", "...", "!?", "<|im_end|>", "_", "🦙", "👩‍👩‍👧", "𐍈", "𝟙", "𠀀", "\uFFFD", "\0", "K", "ß",
    ];

    [Theory]
    [InlineData(WordSplit.Gpt2)]
    [InlineData(WordSplit.Llama3)]
    [InlineData(WordSplit.Qwen2)]
    public void Scanner_CutsWhereThePatternDoes(WordSplit split)
    {
        // A comment keeps the pattern from being recognised, so that the regular expression itself runs.
        var pattern = new Pattern("(?#)" + WordSplits.PatternOf(split), null);
        Assert.Null(pattern.Split);
        Gen.Int[0, Pieces.Length - 1].Array[0, 12].Select(picks => string.Concat(picks.Select(p => Pieces[p]))).Sample(
            text =>
            {
                var cuts = new List<(int, int)>();
                for (var at = 0; at < text.Length;)
                {
                    var end = WordSplits.Next(split, text, at);
                    cuts.Add((at, end));
                    at = end;
                }
                Assert.Equal(pattern.Matches(text), cuts);
            },
            iter: 20_000,
            seed: "0000000000000",
            threads: 1);
    }

    [Fact]
    public void EveryCharacter_IsOfTheKindThatThePatternsSay()
    {
        var (letter, number, space) = (CharSetNames.Find("L")!, CharSetNames.Find("N")!, CharSet.Space);
        foreach (var c in Enumerable.Range(0, 0x110000).Where(Rune.IsValid))
        {
            var kind = CharKinds.At(new Rune(c).ToString(), 0, out _);
            Assert.Equal(letter.Contains(c), kind == CharKind.Letter);
            Assert.Equal(number.Contains(c), kind == CharKind.Number);
            Assert.Equal(space.Contains(c), kind is CharKind.Space or CharKind.LineEnd);
        }
    }
}
