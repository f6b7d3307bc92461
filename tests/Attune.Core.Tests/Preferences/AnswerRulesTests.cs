using Attune.Core.Preferences;
using Xunit;

namespace Attune.Core.Tests.Preferences;

public class AnswerRulesTests
{
    [Theory]
    [InlineData("exact", " 42 ", "42", true)]
    [InlineData("exact", "42.", "42", false)]
    [InlineData("contains", "It was ROME.", "Rome", true)]
    [InlineData("number", "So 3 + 4 = 7", "The answer is 7.0", true)]
    [InlineData("number", "It costs $1,250.50", "1250.5", true)]
    [InlineData("number", "-3", "3", false)]
    [InlineData("number", "none", "3", false)]
    [InlineData("regex:^[A-Z].*\\.$", "A sentence.", null, true)]
    [InlineData("regex:^[A-Z].*\\.$", "no sentence", null, false)]
    [InlineData("not:sorry", "I am sorry", null, false)]
    [InlineData("json:city,year", """{"city":"Oslo","year":1990}""", null, true)]
    [InlineData("json:city,year", """{"city":"Oslo"}""", null, false)]
    [InlineData("json", """Here: {"a":1}""", null, false)]
    [InlineData("words:3", "one two three", null, true)]
    [InlineData("words:3", "one two three four", null, false)]
    public void A_rule_holds_or_does_not(string rule, string answer, string? reference, bool holds) =>
        Assert.Equal(holds, AnswerRules.Parse(rule).Holds(answer, reference));

    [Fact]
    public async Task Answers_are_ranked_by_the_rules_they_keep()
    {
        var task = Annotations.Task("3 + 4?", "7", "The answer is 7 and that is all there is to say about it.", "8") with { Reference = "7" };
        var ranked = await AnswerRules.Parse(["number", "words:5"]).RankAsync(task, TestContext.Current.CancellationToken);
        Assert.Equal([2, 1, 1], ranked.Scores);
        Assert.Equal("""{"number":[true,true,false],"words:5":[true,false,true]}""", ranked.Details!.ToJsonString());
    }

    [Theory]
    [InlineData("nmber", "ATT2413")]
    [InlineData("regex:(", "ATT2413")]
    [InlineData("words:many", "ATT2413")]
    public void Rules_that_cannot_be_are_refused(string rule, string code) =>
        Assert.Equal(code, Assert.Throws<PreferenceException>(() => AnswerRules.Parse(rule)).Code);

    [Fact]
    public void A_rule_that_needs_the_right_answer_says_so_where_there_is_none() =>
        Assert.Equal("ATT2414", Assert.Throws<PreferenceException>(() => AnswerRules.Parse("number").Holds("7", null)).Code);
}
