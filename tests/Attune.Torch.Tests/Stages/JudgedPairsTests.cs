using System.Text.Json;
using Attune.Core.Data;
using Attune.Core.Preferences;
using Attune.Core.Randomness;
using Attune.Core.Rewards;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Prompts;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;
using Attune.Torch.Stages;
using Xunit;

namespace Attune.Torch.Tests.Stages;

/// <summary>A judge measures the reward model on a few of the policy's own answers, and is asked each of them once.</summary>
public sealed class JudgedPairsTests : IDisposable
{
    private readonly TinyRuns _runs = new();

    private sealed class Death : Exception;

    [Theory]
    [InlineData("ppo")]
    [InlineData("grpo")]
    [InlineData("rloo")]
    public void ARunThatDiesAsksNobodyTwice(string stage)
    {
        var parent = _runs.Base();
        StageResult Run(string name, Longest judge, Action<StageProgress>? hear = null)
        {
            var context = _runs.Context($"{stage}-{name}", parent, hear) with { RewardModel = _runs.RewardModel().Draft.Files, Labels = new RankedReward(judge) };
            return stage switch
            {
                "ppo" => Ppo.Run(TinyRuns.Reinforcing(_runs.Talks) with { Steps = 12, Truth = [], Rules = [], JudgePairs = 2, CheckpointSteps = 5 }, context),
                "grpo" => Grpo.Run(TinyRuns.Grouping(_runs.Talks) with { Steps = 3, Rules = [], JudgePairs = 2, CheckpointSteps = 2 }, context),
                _ => Grpo.Run(TinyRuns.LeavingOut(_runs.Talks) with { Steps = 3, Rules = [], JudgePairs = 2, CheckpointSteps = 2 }, context),
            };
        }

        var (once, twice) = (new Longest(), new Longest());
        var whole = Run("whole", once);
        Assert.Equal(6, once.Asked);
        foreach (var at in stage == "ppo" ? [1, 4, 7, 10] : new[] { 1, 2, 3 })
        {
            Assert.Throws<Death>(() => Run("died", twice, p =>
            {
                if (p.Message is null && p.Step == at)
                    throw new Death();
            }));
        }
        var resumed = Run("died", twice);
        Assert.Equal(once.Asked, twice.Asked);
        Assert.Equal(TinyRuns.WeightsOf(whole), TinyRuns.WeightsOf(resumed));
        Assert.Equal(whole.Draft.Lineage.Facts.ToJsonString(), resumed.Draft.Lineage.Facts.ToJsonString());
        Assert.Equal((12, 12), (whole.Facts.JudgeCalls, whole.Draft.Lineage.Facts["judge_calls"]!.GetValue<long>()));
        Assert.True(whole.Facts.JudgeSeconds > 0 && whole.Facts.JudgeSeconds < whole.Facts.Seconds);
        Assert.Equal(Figures(whole), Figures(resumed));
    }

    [Theory]
    [InlineData(1, 1.0)]
    [InlineData(-1, 0.0)]
    public void AccuracyIsHowOftenTheModelOrdersAsTheJudge(double sign, double accuracy)
    {
        var files = _runs.RewardModel().Draft.Files;
        var tokenizer = Tokenizer.Load(files.Require(ModelFiles.Tokenizer));
        using var model = DecoderFiles.LoadReward(files);
        PromptRow[] prompts = [.. Enumerable.Range(0, 6).Select(i => new PromptRow(new Conversation([new Message("user", $"{i}")]), null, new RowOrigin("f", 1)))];
        Rollout[] answers = [.. prompts.SelectMany((_, p) => new[] { "Oslo", "Lima is it", "Lima is it" }.Select(text => new Rollout { Prompt = p, Ids = [5, 6, .. tokenizer.Encode(text)], PromptLength = 2, Ended = false }))];
        var scores = RolloutScores.Scores(model, answers, 64);
        Assert.NotEqual(scores[0], scores[1]);
        RolloutSet Compare(IReward judge, int pairs) => new JudgedPairs(judge, model, prompts, tokenizer, new PpoOptions { JudgePairs = pairs }, TimeProvider.System).Compare(new RolloutSet(answers, default), RandomStream.Of(1, "test"));

        var judged = Compare(new Mapped(text => sign * (text == "Oslo" ? scores[0] : scores[1])), pairs: 4);
        Assert.Equal((4, accuracy, 8), (judged.Agreement.Pairs, judged.Agreement.Accuracy, judged.Judged.Calls));
        // No more than a pair a prompt; ties are asked for, and do not count.
        Assert.Equal((0, 12), (Compare(new Mapped(_ => 0), pairs: 100).Agreement.Pairs, Compare(new Mapped(_ => 0), pairs: 100).Judged.Calls));

        var asked = 0;
        judged = Compare(new Mapped(text => ++asked == 1 ? throw new PreferenceException(PreferenceException.UnreadableCode, "mumbles") : text.Length), pairs: 4);
        Assert.Equal((3, 8), (judged.Agreement.Pairs, judged.Judged.Calls));
        Assert.Equal("ATT2416", Assert.Throws<PreferenceException>(() => Compare(new Mapped(_ => throw new PreferenceException(PreferenceException.UnreadableCode, "mumbles")), pairs: 4)).Code);
    }

    [Fact]
    public void ItsCostIsToldBeforeAndWhatItCannotMeasureIsRefused()
    {
        StagePreflight? seen = null;
        var context = _runs.Context("told", _runs.Base()) with { RewardModel = _runs.RewardModel().Draft.Files, Labels = new RankedReward(new Longest()), Preflight = new Listener<StagePreflight>(p => seen = p) };
        var options = TinyRuns.Reinforcing(_runs.Talks) with { Steps = 8, Truth = [], JudgePairs = 3 };
        Ppo.Run(options, context);
        Assert.Contains(seen!.Warnings, w => w.Contains("at most 12 calls", StringComparison.Ordinal));
        Assert.Equal("ATT5203", Assert.Throws<TrainingException>(() => Ppo.Run(options with { Truth = ["contains"] }, context with { RunFolder = _runs.Context("both").RunFolder })).Code);
        Assert.Equal("ATT5206", Assert.Throws<TrainingException>(() => Ppo.Run(options with { Samples = 1 }, context with { RunFolder = _runs.Context("one").RunFolder })).Code);
        Assert.Equal("ATT5206", Assert.Throws<TrainingException>(() => Ppo.Run(options, context with { RunFolder = _runs.Context("none").RunFolder, RewardModel = null })).Code);
    }

    [Fact]
    public void TheStartIsMeasuredOnEnoughPairsToBeComparedWith()
    {
        var state = new RunState();
        for (var i = 0; i < 12; i++)
            state = state.Observe(new RewardAgreement(4, 4));
        Assert.Equal((1.0, 32.0), (state.RewardStart, state.RewardStartPairs));
        Assert.Null(state.Drift());
        for (var i = 0; i < 12; i++)
            state = state.Observe(new RewardAgreement(2, 4));
        Assert.Equal(32, state.RewardStartPairs);
        Assert.NotNull(state.Drift());
    }

    public void Dispose() => _runs.Dispose();

    // All that a run measured but its pace.
    private static string[] Figures(StageResult result) => [.. File.ReadLines(Path.Combine(Path.GetDirectoryName(Path.GetDirectoryName(result.Draft.Files.Require(ModelFiles.Weights)))!, MetricsLog.FileName))
        .Select(line => string.Join(' ', JsonDocument.Parse(line).RootElement.EnumerateObject().Where(p => p.Name != "tokens_per_second").Select(p => p.ToString())))];

    /// <summary>A judge who likes long answers, and counts.</summary>
    private sealed class Longest : IAnswerRanker
    {
        public int Asked { get; private set; }

        public string By => "judge";

        public string Name => "longest";

        public Task<RankedAnswers> RankAsync(RankTask task, CancellationToken cancel = default)
        {
            Asked++;
            return Task.FromResult(new RankedAnswers([.. task.Answers.Select(a => (double)a.Text.Length)]));
        }
    }

    private sealed class Mapped(Func<string, double> worth) : IReward
    {
        public IReadOnlyList<double> Score(IReadOnlyList<RewardedAnswer> answers) => [.. answers.Select(a => worth(a.Text))];
    }
}
