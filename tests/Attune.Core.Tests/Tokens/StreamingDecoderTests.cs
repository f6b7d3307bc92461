using Attune.Core.Tokens;
using Xunit;

namespace Attune.Core.Tests.Tokens;

public class StreamingDecoderTests
{
    private static readonly Tokenizer Tokenizer = BpeTrainer.Train(["hello hello world"], new BpeTrainerOptions { VocabularySize = 288 });

    [Fact]
    public void NeverSplitsACharacter_AndGivesWhatDecodeGives()
    {
        const string Text = "hello 🦙 né 海边 \u0301x";
        var ids = Tokenizer.Encode(Text);
        var stream = new StreamingDecoder(Tokenizer);
        var parts = ids.Select(stream.Append).ToArray();
        Assert.Equal(Text, string.Concat(parts) + stream.Flush());
        Assert.All(parts, p => Assert.DoesNotContain('\uFFFD', p));
        Assert.All(parts.Where(p => p.Length > 0), p => Assert.False(char.IsLowSurrogate(p[0]) || char.IsHighSurrogate(p[^1])));
    }

    [Fact]
    public void AnyIds_GiveWhatDecodeGives()
    {
        var random = new Random(3);
        for (var round = 0; round < 300; round++)
        {
            var ids = Enumerable.Range(0, random.Next(12)).Select(_ => random.Next(Tokenizer.VocabularySize)).ToArray();
            var stream = new StreamingDecoder(Tokenizer, skipSpecialTokens: round % 2 == 0);
            Assert.Equal(Tokenizer.Decode(ids, round % 2 == 0), string.Concat(ids.Select(stream.Append)) + stream.Flush());
        }
    }

    [Fact]
    public void AnUnknownId_IsATypedError()
    {
        Assert.Equal("ATT2505", Assert.Throws<TokenException>(() => Tokenizer.Decode([100_000])).Code);
        Assert.Equal("ATT2505", Assert.Throws<TokenException>(() => Tokenizer.TokenText(-1)).Code);
    }
}
