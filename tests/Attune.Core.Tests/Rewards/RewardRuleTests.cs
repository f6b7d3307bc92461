using Attune.Core.Data;
using Attune.Core.Rewards;
using Attune.Prompts;
using Xunit;

namespace Attune.Core.Tests.Rewards;

public sealed class RewardRuleTests
{
    [Theory]
    [InlineData("exact", "Paris.", "paris", 1)]
    [InlineData("exact", "It is Paris", "Paris", 0)]
    [InlineData("contains", "It is  PARIS, of course", "Paris", 1)]
    [InlineData("contains", "Rome", "Paris", 0)]
    [InlineData("number", "3 and 4 make 7.", "7", 1)]
    [InlineData("number", "about 1,200", "#### 1200", 1)]
    [InlineData("number", "seven", "7", 0)]
    [InlineData("0.5*json", "{\"a\": 1}", null, 0.5)]
    [InlineData("json", "{\"a\": 1", null, 0)]
    [InlineData("json", "7", null, 0)]
    [InlineData("words:3", "one two three", null, 1)]
    [InlineData("words:3", "one two three four", null, 0)]
    [InlineData("-1*regex:sorry", "I am sorry", null, -1)]
    [InlineData("regex:^\\d+:\\d+$", "10:30", null, 1)]
    public void ARuleIsWorthItsWeightWhereItIsKept(string rule, string text, string? answer, double worth) =>
        Assert.Equal(worth, RewardRule.Parse(rule).Score(Answer(text, answer)));

    [Fact]
    public void AnAnswerThatDidNotEndIsToldApart()
    {
        Assert.Equal(1, RewardRule.Parse("ended").Score(Answer("x", null)));
        Assert.Equal(0, RewardRule.Parse("ended").Score(Answer("x", null) with { Ended = false }));
    }

    [Theory]
    [InlineData("exactly")]
    [InlineData("words:0")]
    [InlineData("words:few")]
    [InlineData("regex:")]
    [InlineData("regex:(")]
    [InlineData("exact:x")]
    [InlineData("1e999*json")]
    public void WhatIsNoRuleIsRefused(string rule) => Assert.Equal(("ATT5204", "rules"), Assert.Throws<RewardException>(() => RewardRule.Parse(rule)) is var e ? (e.Code, e.Field) : default);

    [Fact]
    public void ARuleThatComparesNeedsAnAnswerInEveryRow()
    {
        PromptRow[] prompts = [Prompt("7"), Prompt(null)];
        var error = Assert.Throws<RewardException>(() => RuleReward.Of(["json", "exact"], prompts));
        Assert.Equal(("ATT5205", "answer", 2), (error.Code, error.Field, error.Line));
        Assert.Equal([1.5], RuleReward.Of(["exact", "0.5*words:2"], [Prompt("7")]).Score([Answer("7", "7")]));
    }

    [Fact]
    public void AgreementCountsPairsOfOnePromptThatTheTruthTellsApart()
    {
        // Prompt 0: truth 1 > 0, the reward says so. Prompt 1: three pairs, one right, one wrong, one tied by the reward.
        var agreement = RewardAgreement.Of([1, 0, 2, 1, 0], [5, 4, 1, 3, 1], [0, 0, 1, 1, 1]);
        Assert.Equal(4, agreement.Pairs);
        Assert.Equal(2.5, agreement.Right);
        Assert.True(double.IsNaN(RewardAgreement.Of([1, 1], [0, 1], [0, 0]).Accuracy));
    }

    private static RewardedAnswer Answer(string text, string? answer) => new(Prompt(answer), text, true);

    private static PromptRow Prompt(string? answer) => new(new Conversation([new Message("user", "?")]), answer, new RowOrigin("prompts.jsonl", answer is null ? 2 : 1));
}
