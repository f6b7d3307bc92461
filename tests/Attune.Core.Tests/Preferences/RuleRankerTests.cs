using Attune.Core.Data;
using Attune.Core.Preferences;
using Attune.Core.Rewards;
using Attune.Prompts;
using Xunit;

namespace Attune.Core.Tests.Preferences;

public class RuleRankerTests
{
    private static PromptRow Prompt(string? answer) => new(new Conversation([new("user", "q")]), answer, new RowOrigin("f", 1));

    [Theory]
    [InlineData("exact", " 42 ", "42", true)]
    [InlineData("contains", "It was ROME.", "Rome", true)]
    [InlineData("number", "It costs $1,250.50", "1250.5", true)]
    [InlineData("number", "-3", "3", false)]
    [InlineData("regex:^[A-Z].*\\.$", "A sentence.", null, true)]
    [InlineData("not:sorry", "I am sorry", null, false)]
    [InlineData("not:sorry", "I am glad", null, true)]
    [InlineData("json:city,year", """{"city":"Oslo","year":1990}""", null, true)]
    [InlineData("json:city,year", """{"city":"Oslo"}""", null, false)]
    [InlineData("json:city", "[1]", null, false)]
    [InlineData("words:3", "one two three four", null, false)]
    public void A_rule_holds_or_does_not(string rule, string answer, string? reference, bool holds) =>
        Assert.Equal(holds ? 1 : 0, RuleRanker.Parse([rule]).Score(Prompt(reference), answer));

    [Fact]
    public async Task Answers_are_ranked_by_the_rules_they_keep()
    {
        var task = Annotations.Task("3 + 4?", "7", "The answer is 7 and that is all there is to say about it.", "8") with { Reference = "7" };
        var ranked = await RuleRanker.Parse(["number", "0.5*words:5"]).RankAsync(task, TestContext.Current.CancellationToken);
        Assert.Equal([1.5, 1, 0.5], ranked.Scores);
        Assert.Equal("""{"number":[1,1,0],"0.5*words:5":[0.5,0,0.5]}""", ranked.Details!.ToJsonString());
    }

    [Fact]
    public void Rules_that_cannot_be_are_refused_and_a_missing_answer_is_said()
    {
        Assert.Equal("ATT5204", Assert.Throws<RewardException>(() => RuleRanker.Parse(["nmber"])).Code);
        Assert.Equal("ATT2414", Assert.Throws<PreferenceException>(() => RuleRanker.Parse(["number"]).Score(Prompt(null), "7")).Code);
    }
}
