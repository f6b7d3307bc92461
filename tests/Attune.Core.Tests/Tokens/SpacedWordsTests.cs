using Attune.Core.Tokens;
using Xunit;

namespace Attune.Core.Tests.Tokens;

public class SpacedWordsTests
{
    [Fact]
    public void Pairs_AreTheTwoTokensOfAWord_AndOfNothingElse()
    {
        string[] towns = ["Lisbon", "Boston"];
        var tokenizer = BpeTrainer.Train(
            Enumerable.Range(0, 200).Select(i => $"The town of {towns[i % 2]} is \"old\" - 1975.\n{towns[i % 2]}\nold\nof\ntown\n1975\n"),
            new BpeTrainerOptions { VocabularySize = 352, Split = WordSplit.Gpt2, SpacedWords = 20 });
        var pairs = SpacedWords.Of(tokenizer).ToDictionary(p => p.Bare, p => p.Spaced);
        foreach (var word in new[] { "Lisbon", "Boston", "old", "town", "of", "1975" })
        {
            if (word == "old") continue; // It stands after a quote only, so it has no token with a space.
            Assert.Equal(Assert.Single(tokenizer.Encode(" " + word)), pairs[Assert.Single(tokenizer.Encode(word))]);
        }
        Assert.DoesNotContain(tokenizer.Encode("old")[0], pairs.Keys);
        Assert.DoesNotContain(tokenizer.Encode("-")[0], pairs.Keys);
        Assert.All(pairs, p => Assert.Equal(" " + tokenizer.Decode([p.Key]), tokenizer.Decode([p.Value])));
    }
}
