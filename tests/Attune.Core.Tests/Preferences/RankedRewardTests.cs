using Attune.Core.Data;
using Attune.Core.Preferences;
using Attune.Core.Rewards;
using Attune.Prompts;
using Xunit;

namespace Attune.Core.Tests.Preferences;

public class RankedRewardTests
{
    private static PromptRow Prompt(string text, string answer) => new(new Conversation([new("user", text)]), answer, new RowOrigin("f", 1));

    [Fact]
    public void Answers_are_scored_beside_those_to_the_same_prompt()
    {
        var (first, second) = (Prompt("3 + 4?", "7"), Prompt("Capital of Italy?", "Rome"));
        RewardedAnswer[] answers = [new(first, "7", true), new(second, "Rome", true), new(first, "8", true), new(first, "7", true), new(first, " ", true), new(second, "Oslo", true)];
        var scores = new RankedReward(RuleRanker.Parse(["contains"]), TestContext.Current.CancellationToken).Score(answers);
        Assert.Equal([1, 1, 0, 1, -1, 0], scores);
    }

    [Fact]
    public void A_prompt_whose_answers_are_all_the_same_tells_nothing()
    {
        var prompt = Prompt("q", "a");
        Assert.Equal([0, 0], new RankedReward(RuleRanker.Parse(["contains"]), TestContext.Current.CancellationToken).Score([new(prompt, "a", true), new(prompt, "a ", true)]));
    }
}
