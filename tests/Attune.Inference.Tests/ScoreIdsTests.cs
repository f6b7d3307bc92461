using Attune.Core.Evaluation;
using Xunit;

namespace Attune.Inference.Tests;

/// <summary>Scoring ids gives what scoring texts gives, and refuses what does not fit the window.</summary>
public sealed class ScoreIdsTests
{
    [Fact]
    public async Task Ids_and_texts_have_the_same_scores()
    {
        using var talking = new TalkingModel();
        using var model = talking.Open();
        var ids = model.Encode("the quick brown fox");
        var byIds = (await model.ScoreIdsAsync([[model.PrefixId, .. ids]], TestContext.Current.CancellationToken))[0];
        var byText = (await model.ScoreAsync([new ScoreRequest("", "the quick brown fox")], TestContext.Current.CancellationToken))[0];
        Assert.Equal(byText.LogProbabilities.Count, byIds.Length);
        for (var i = 0; i < byIds.Length; i++)
            Assert.Equal(byText.LogProbabilities[i], byIds[i], 1e-5);
        await Assert.ThrowsAsync<WindowOverflowException>(() => model.ScoreIdsAsync([new int[model.Config.ContextLength + 2]], TestContext.Current.CancellationToken));
    }
}
