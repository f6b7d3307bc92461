using Attune.Core.Tokens;
using Xunit;

namespace Attune.Core.Tests.Tokens;

public class BpeTrainerTests
{
    private static readonly string[] Corpus =
    [
        .. Enumerable.Range(0, 400).Select(i => FormattableString.Invariant($"Person {i % 37} was born in the year {1900 + (i * 7 % 100)} and lives by the sea.\n")),
        .. Enumerable.Range(0, 400).Select(i => FormattableString.Invariant($"张伟出生于{1900 + (i * 7 % 100)}年，他住在海边。李娜的父亲是医生，她的母亲是老师。\n")),
    ];

    [Fact]
    public void ControlTokens_AreTheFirstIds()
    {
        var tokenizer = BpeTrainer.Train(Corpus, new BpeTrainerOptions { VocabularySize = 400 });
        Assert.Equal(0, tokenizer.IdOf(ControlTokens.EndOfText));
        for (var id = 0; id < ControlTokens.All.Count; id++)
        {
            Assert.Equal(id, tokenizer.IdOf(ControlTokens.All[id]));
            Assert.Equal([id], tokenizer.Encode(ControlTokens.All[id]));
        }
        Assert.Equal(16, ControlTokens.All.Count);
    }

    [Theory]
    [InlineData(WordSplit.Gpt2)]
    [InlineData(WordSplit.Llama3)]
    [InlineData(WordSplit.Qwen2)]
    public void EveryText_ComesBack(WordSplit split)
    {
        var tokenizer = BpeTrainer.Train(Corpus, new BpeTrainerOptions { VocabularySize = 512, Split = split });
        foreach (var text in new[] { "", " ", "The sea.", "张伟住在海边", "🦙 né\0\u00A0 \r\n\r\n x", "𠀀𝐀'LL 'ſ", Corpus[0] })
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
    }

    [Theory]
    [InlineData(6)]
    [InlineData(40)]
    public void SpacedWords_AreMadeUpAlikeWithTheirSpaceAndWithout(int words)
    {
        string[] cities = ["Boston", "Lisbon", "theology", "inland"];
        var texts = Enumerable.Range(0, 400).Select(i => $"It is known that the town of the north is {cities[i % 4]}.\n{cities[i % 4]}\n");
        var tokenizer = BpeTrainer.Train(texts, new BpeTrainerOptions { VocabularySize = 368, Split = WordSplit.Gpt2, SpacedWords = words });
        // "the" and "in" are tokens with their space; a value that begins with them is not parted by it.
        Assert.Single(tokenizer.Encode(" the"));
        foreach (var city in cities)
        {
            var bare = Assert.Single(tokenizer.Encode(city));
            Assert.Contains(bare, tokenizer.Encode($"{{\"town\": \"{city}\"}}"));
            var spaced = tokenizer.Encode(" " + city);
            if (words == 6)
                Assert.Equal([.. tokenizer.Encode(" "), bare], spaced);
            else
                Assert.Single(spaced);
        }
        var read = Tokenizer.Parse(tokenizer.ToJson().ToArray());
        Assert.Equal(tokenizer.Encode("the town of Lisbon"), read.Encode("the town of Lisbon"));
    }

    [Theory]
    [InlineData(WordSplit.Gpt2)]
    [InlineData(WordSplit.Llama3)]
    [InlineData(WordSplit.Qwen2)]
    public void SpacedWords_MakeNoTokenTwice(WordSplit split)
    {
        var texts = Enumerable.Range(0, 300).Select(_ => "one  \ntwo \n three   \n");
        var tokenizer = BpeTrainer.Train(texts, new BpeTrainerOptions { VocabularySize = 336, Split = split, SpacedWords = 30 });
        // Of two ids with one text the file keeps the later: the earlier has no token any more.
        Assert.All(Enumerable.Range(0, tokenizer.VocabularySize), id => Assert.True(tokenizer.HasId(id)));
        Assert.Equal("one  \ntwo \n three", tokenizer.Decode(tokenizer.Encode("one  \ntwo \n three")));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(300)]
    public void SpacedWords_ThatDoNotFit_AreRefused(int words)
    {
        var refusal = Assert.Throws<TokenException>(() => BpeTrainer.Train(Corpus, new BpeTrainerOptions { VocabularySize = 512, SpacedWords = words }));
        Assert.Equal("ATT2506", refusal.Code);
    }

    [Fact]
    public void Vocabulary_IsRounded_AndEveryRowHasAToken()
    {
        var tokenizer = BpeTrainer.Train(["abc abc"], new BpeTrainerOptions { VocabularySize = 1001 });
        Assert.Equal(0, tokenizer.VocabularySize % 16);
        Assert.Equal(tokenizer.VocabularySize, Enumerable.Range(0, tokenizer.VocabularySize).Select(tokenizer.TokenText).Distinct(StringComparer.Ordinal).Count());
        var full = BpeTrainer.Train(Corpus, new BpeTrainerOptions { VocabularySize = 300 });
        Assert.Equal(304, full.VocabularySize);
    }

    [Fact]
    public void Result_DoesNotDependOnThreads_NorOnHowTextsAreHandedOver()
    {
        var one = BpeTrainer.Train(Corpus, new BpeTrainerOptions { VocabularySize = 600, Threads = 1 });
        var four = BpeTrainer.Train(Corpus.Reverse(), new BpeTrainerOptions { VocabularySize = 600, Threads = 4 });
        Assert.Equal(one.Digest, four.Digest);
    }

    [Fact]
    public void BoundedMemory_KeepsThePairsOfTextWithoutSpaces()
    {
        var random = new Random(5);
        var characters = "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学法所民得经";
        // Sentences that never repeat, but for one pair that is in each of them.
        var texts = Enumerable.Range(0, 30_000).Select(_ => string.Concat(Enumerable.Range(0, 20).Select(_ => characters[random.Next(characters.Length)])) + "海边\n").ToArray();
        var small = BpeTrainer.Train(texts, new BpeTrainerOptions { VocabularySize = 480, MostWords = 20_000 });
        Assert.NotNull(small.IdOf(Visible("海边")));
        Assert.Equal(small.Digest, BpeTrainer.Train(texts, new BpeTrainerOptions { VocabularySize = 480, MostWords = 20_000, Threads = 3 }).Digest);
    }

    [Fact]
    public void BadOptions_AreRefusedWithTheField()
    {
        Assert.Equal("VocabularySize", Assert.Throws<TokenException>(() => BpeTrainer.Train(Corpus, new BpeTrainerOptions { VocabularySize = 100 })).Field);
        Assert.Equal("ATT2506", Assert.Throws<TokenException>(() => BpeTrainer.Train([], new BpeTrainerOptions())).Code);
        Assert.Equal("SpecialTokens", Assert.Throws<TokenException>(() => BpeTrainer.Train(Corpus, new BpeTrainerOptions { SpecialTokens = ["a", "a"] })).Field);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => BpeTrainer.Train(Corpus, new BpeTrainerOptions(), cancelled.Token));
    }

    private static string Visible(string text) => ByteAlphabet.Write(System.Text.Encoding.UTF8.GetBytes(text));
}
