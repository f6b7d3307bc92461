using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Preferences;
using Attune.Core.Versions;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;
using Attune.Torch.Stages;
using Xunit;

namespace Attune.Torch.Tests.Stages;

public sealed class RewardTests : IDisposable
{
    private readonly TinyRuns _runs = new();

    [Fact]
    public void ItLearnsToOrderPairsAndIsSavedAsOneThatOthersLoad()
    {
        var result = Reward.Run(TinyRuns.Scoring(_runs.Pairs) with { Steps = 40, Validation = [_runs.Pairs] }, _runs.Context("reward", _runs.Base()));
        Assert.Equal(VersionKind.Reward, result.Draft.Kind);
        var pairs = result.Draft.Lineage.Facts["validation_pairs"]!;
        Assert.True(pairs["accuracy"]!.GetValue<double>() > 0.9, pairs.ToJsonString());
        Assert.Equal(120, pairs["calibration"]!.AsArray().Sum(b => b!["pairs"]!.GetValue<long>()));
        Assert.Equal("LlamaForSequenceClassification", HuggingFaceJson.Read(result.Draft.Files.Require(ModelFiles.Config))["architectures"]![0]!.GetValue<string>());
        using var model = DecoderFiles.LoadReward(result.Draft.Files);
        var chosen = RewardStep.Score(model, RaggedBatch.Of([[1, 2, 3]]));
        Assert.Single(chosen);
        Assert.Contains("kind: reward", File.ReadAllText(result.Draft.Files.Require(ModelFiles.Card)), StringComparison.Ordinal);
    }

    [Fact]
    public void ItGoesOnFromARewardModel()
    {
        var first = _runs.RewardModel();
        var seen = new List<StageProgress>();
        var second = Reward.Run(TinyRuns.Scoring(_runs.Pairs), _runs.Context("on", first, seen.Add));
        Assert.True(seen[0].Loss < Math.Log(2), "a new head would begin at ln 2");
        Assert.NotEqual(TinyRuns.WeightsOf(first), TinyRuns.WeightsOf(second));
    }

    [Fact]
    public void RankingsArePlackettLuceOrPairsWithMargins()
    {
        var rankings = _runs.Write("rankings.jsonl", string.Join('\n', Enumerable.Range(0, 12).Select(i =>
            $$"""{"prompt": "Where is Ada, {{i}}?", "responses": ["Oslo", "Ada is in Oslo.", "Lima"], "scores": [1, 3, 0]}""")) + "\n");
        StagePreflight? whole = null, pairs = null;
        var parent = _runs.Base();
        Reward.Run(TinyRuns.Scoring(rankings) with { Likelihood = "rankings" }, _runs.Context("whole", parent) with { Preflight = new Listener<StagePreflight>(p => whole = p) });
        Reward.Run(TinyRuns.Scoring(rankings) with { MarginScale = 0.5 }, _runs.Context("pairs", parent) with { Preflight = new Listener<StagePreflight>(p => pairs = p) });
        Assert.Equal((36, 72), (whole!.Rows.Rows, pairs!.Rows.Rows));
        Assert.Equal("ATT5201", Assert.Throws<TrainingException>(() => Reward.Run(TinyRuns.Scoring(rankings) with { Likelihood = "rankings", MarginScale = 1 }, _runs.Context("both", parent))).Code);
        Assert.Equal("ATT5101", Assert.Throws<TrainingException>(() => Reward.Run(TinyRuns.Scoring(rankings) with { Likelihood = "thurstone" }, _runs.Context("other", parent))).Code);
    }

    // The template writes a newline behind the end of turn; a policy does not.
    [Fact]
    public void TheScoreIsReadAtTheEndOfTurn()
    {
        var row = new TokenRow { Ids = [5, 6, 7, 8, 9], Trained = [false, false, true, true, true], Origin = new RowOrigin("x", 1) };
        Assert.Equal([5, 6, 7, 8], RewardData.Ended(row, [8]).Ids);
        Assert.Equal([5, 6, 7, 8, 9], RewardData.Ended(row, [3]).Ids);
        Assert.Equal([5, 6, 7], RewardData.Ended(row with { Trained = [false, false, true, false, false] }, [8]).Ids);
    }

    [Fact]
    public void CalibrationIsWhatWasClaimedBesideWhatWasRight()
    {
        var meters = new RewardMeters();
        // Claims of σ(2) = .88: three of four right.
        foreach (var (better, worse) in new[] { (2f, 0f), (2f, 0f), (2f, 0f), (0f, 2f) })
            meters.AddScores([better, worse], [0, 2]);
        var bin = Assert.Single(meters.ToJson()["calibration"]!.AsArray())!;
        Assert.Equal(1 / (1 + Math.Exp(-2)), bin["claimed"]!.GetValue<double>(), 9);
        Assert.Equal(0.75, bin["right"]!.GetValue<double>(), 9);
        Assert.Equal(1 / (1 + Math.Exp(-2)) - 0.75, meters.CalibrationError, 9);
    }

    [Fact]
    public void TheScoreOfARowIsTheSameInEveryBatch()
    {
        using var model = DecoderFiles.LoadReward(_runs.RewardModel().Draft.Files);
        int[][] rows = [[1, 2, 3, 4, 5], [6, 7], [8, 9, 10, 11, 12, 13, 14]];
        var together = RewardStep.Score(model, RaggedBatch.Of(rows));
        for (var i = 0; i < rows.Length; i++)
            Assert.Equal(RewardStep.Score(model, RaggedBatch.Of([rows[i]]))[0], together[i], 1e-5);
    }

    [Fact]
    public void UpkeepLearnsTheAnswersOfThePolicyAndTellsItsCost()
    {
        var policy = _runs.Base();
        var context = _runs.Context("refresh", _runs.RewardModel()) with { Policy = policy.Draft.Files };
        var result = RewardRefresh.Run(TinyRuns.Refreshing(_runs.Talks) with { Keep = [_runs.Pairs], Steps = 30 }, context);
        var facts = result.Draft.Lineage.Facts;
        Assert.True(facts["accuracy_after"]!.GetValue<double>() > facts["accuracy_before"]!.GetValue<double>(), facts.ToJsonString());
        Assert.True(facts["on_policy_pairs"]!.GetValue<long>() > 0 && result.Facts.Sampled > 0 && result.Facts.SamplingSeconds > 0);
        Assert.Equal("refresh", result.Draft.Lineage.Stage);
        Assert.Contains(result.Draft.Lineage.Data, d => d.Name == "policy");
        Assert.Equal("ATT5203", Assert.Throws<TrainingException>(() => RewardRefresh.Run(TinyRuns.Refreshing(_runs.Talks), _runs.Context("none", _runs.RewardModel()))).Code);
        Assert.Equal("ATT5203", Assert.Throws<TrainingException>(() => RewardRefresh.Run(TinyRuns.Refreshing(_runs.Talks), _runs.Context("no-reward", policy) with { Policy = policy.Draft.Files })).Code);
        Assert.Equal("ATT5209", Assert.Throws<TrainingException>(() => RewardRefresh.Run(TinyRuns.Refreshing(_runs.Talks) with { Truth = ["words:1000"] }, _runs.Context("blind", _runs.RewardModel()) with { Policy = policy.Draft.Files })).Code);
    }

    [Fact]
    public void UpkeepTakesItsLabelsFromAJudge()
    {
        var policy = _runs.Base();
        var judge = new RankedReward(new Longest());
        var context = _runs.Context("judged", _runs.RewardModel()) with { Policy = policy.Draft.Files, Labels = judge };
        var result = RewardRefresh.Run(TinyRuns.Refreshing(_runs.Talks) with { Truth = [], Steps = 30 }, context);
        var facts = result.Draft.Lineage.Facts;
        Assert.True(facts["accuracy_after"]!.GetValue<double>() > facts["accuracy_before"]!.GetValue<double>(), facts.ToJsonString());
        var both = _runs.Context("both", _runs.RewardModel()) with { Policy = policy.Draft.Files, Labels = judge };
        Assert.Equal("ATT5203", Assert.Throws<TrainingException>(() => RewardRefresh.Run(TinyRuns.Refreshing(_runs.Talks), both)).Code);
    }

    /// <summary>A judge who likes long answers.</summary>
    private sealed class Longest : IAnswerRanker
    {
        public string By => "judge";

        public string Name => "longest";

        public Task<RankedAnswers> RankAsync(RankTask task, CancellationToken cancel = default) =>
            Task.FromResult(new RankedAnswers([.. task.Answers.Select(a => (double)a.Text.Length)]));
    }

    public void Dispose() => _runs.Dispose();
}
