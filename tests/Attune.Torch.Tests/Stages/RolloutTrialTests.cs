using Attune.Torch.Stages;
using Xunit;

namespace Attune.Torch.Tests.Stages;

/// <summary>Stages that draw answers tell their time and memory before they start, by an iteration that the run then begins with.</summary>
public sealed class RolloutTrialTests : IDisposable
{
    private readonly TinyRuns _runs = new();

    private sealed class Death : Exception;

    [Theory]
    [InlineData("ppo")]
    [InlineData("ppo-lora")]
    [InlineData("grpo")]
    [InlineData("rloo")]
    public void ATrialTellsTheCostAndChangesNothing(string stage)
    {
        var looks = new List<StagePreflight>();
        StageContext Context(string name, Action<StageProgress>? hear = null) => _runs.Context($"{stage}-{name}", _runs.Base(), hear) with { Preflight = new Listener<StagePreflight>(looks.Add) };
        var whole = Run(stage, Context("whole"));
        var estimate = looks.Single().Estimate;
        Assert.True(estimate.TokensPerSecond > 0 && estimate.AnswerSeconds > 0 && estimate.Seconds > estimate.AnswerSeconds && estimate.TrialBytes > 0, estimate.ToString());
        Assert.True(whole.Facts.SamplingSeconds > 0 && whole.Facts.SamplingSeconds < whole.Facts.Seconds);

        // Dies before its first checkpoint: what it drew is there, and goes on without a trial.
        Assert.Throws<Death>(() => Run(stage, Context("died", _ => throw new Death())));
        looks.Clear();
        var resumed = Run(stage, Context("died"));
        Assert.Null(looks.Single().Estimate.Seconds);
        Assert.Equal(TinyRuns.WeightsOf(whole), TinyRuns.WeightsOf(resumed));
    }

    [Fact]
    public void ALookLeavesNothingBehind()
    {
        using var cancel = new CancellationTokenSource();
        var look = _runs.Context("look", _runs.Base(), cancellation: cancel.Token) with { Preflight = new Listener<StagePreflight>(_ => cancel.Cancel()) };
        Assert.ThrowsAny<OperationCanceledException>(() => Run("grpo", look));
        Assert.Empty(Directory.GetFiles(look.RunFolder, "rollouts-*"));
        // Another run may have the folder.
        _ = Grpo.Run(TinyRuns.Grouping(_runs.Talks) with { Steps = 1, Seed = 2 }, _runs.Context("look", _runs.Base()));
    }

    [Fact]
    public void AResumedRunTellsItsPaceSoFar()
    {
        var estimates = new List<CostEstimate>();
        StageContext Context(Action<StageProgress>? hear = null) => _runs.Context("paced", _runs.Base(), hear) with { Preflight = new Listener<StagePreflight>(p => estimates.Add(p.Estimate)) };
        Assert.Throws<Death>(() => Run("rloo", Context(p =>
        {
            if (p.Step == 5)
                throw new Death();
        })));
        _ = Run("rloo", Context());
        Assert.Equal(2, estimates.Count);
        Assert.True(estimates[1].Seconds > estimates[1].AnswerSeconds && estimates[1].AnswerSeconds > 0);
        Assert.Null(estimates[1].TrialBytes);
    }

    public void Dispose() => _runs.Dispose();

    private StageResult Run(string stage, StageContext context) => stage switch
    {
        "ppo" => Ppo.Run(TinyRuns.Reinforcing(_runs.Talks) with { Steps = 32, Truth = [], CheckpointSteps = 8 }, context),
        "ppo-lora" => Ppo.Run(TinyRuns.Reinforcing(_runs.Talks) with { Steps = 32, Truth = [], CheckpointSteps = 8, Lora = new() { Rank = 2 } }, context),
        "grpo" => Grpo.Run(TinyRuns.Grouping(_runs.Talks) with { Steps = 8, CheckpointSteps = 2, Beta = 0.04 }, context),
        _ => Grpo.Run(TinyRuns.LeavingOut(_runs.Talks) with { Steps = 8, CheckpointSteps = 2 }, context),
    };
}
