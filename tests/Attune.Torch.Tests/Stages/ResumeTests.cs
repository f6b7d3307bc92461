using System.Text.Json;
using Attune.Core.Randomness;
using Attune.Torch.Optimisers;
using Attune.Torch.Models;
using Attune.Torch.Stages;
using Xunit;

namespace Attune.Torch.Tests.Stages;

/// <summary>A run that is stopped anywhere and started again ends with the very bits of one that was not (failures 6 and 19).</summary>
public sealed class ResumeTests : IDisposable
{
    private readonly TinyRuns _runs = new();

    private sealed class Death : Exception;

    [Theory]
    [InlineData("pretrain")]
    [InlineData("sft")]
    [InlineData("sft-lora")]
    [InlineData("sft-qlora")]
    [InlineData("sft-dropout")]
    [InlineData("dpo")]
    [InlineData("dpo-listwise")]
    [InlineData("reward")]
    [InlineData("refresh")]
    [InlineData("ppo")]
    [InlineData("ppo-lora")]
    [InlineData("reward-lora")]
    [InlineData("grpo")]
    [InlineData("rloo")]
    [InlineData("kto")]
    [InlineData("orpo")]
    [InlineData("simpo")]
    public void InterruptedRunsEndWithTheSameBits(string stage)
    {
        var parent = stage == "pretrain" ? null : _runs.Base();
        StageResult Run(StageContext context) => stage switch
        {
            "pretrain" => Pretrain.Run(TinyRuns.Pretraining(_runs.Text) with { Validation = [_runs.Text], ValidateEvery = 2, CheckpointSteps = 3 }, context),
            "dpo" => Dpo.Run(TinyRuns.Preferring(_runs.Pairs) with { Accumulation = 2, CheckpointSteps = 2 }, context),
            "dpo-listwise" => Dpo.Run(TinyRuns.Preferring(_runs.Rankings) with { Loss = "listwise", Accumulation = 2, CheckpointSteps = 2, MicroBatchPairs = 2 }, context),
            "reward" => Reward.Run(TinyRuns.Scoring(_runs.Pairs) with { Accumulation = 2, CheckpointSteps = 2 }, context),
            "refresh" => RewardRefresh.Run(TinyRuns.Refreshing(_runs.Talks), context with { Parent = _runs.RewardModel().Draft.Files, Policy = parent!.Draft.Files }),
            "ppo-lora" => Ppo.Run(TinyRuns.Reinforcing(_runs.Talks) with { CheckpointSteps = 3, Lora = new() { Rank = 2 } }, context with { RewardModel = _runs.RewardModel().Draft.Files }),
            "reward-lora" => Reward.Run(TinyRuns.Scoring(_runs.Pairs) with { Accumulation = 2, CheckpointSteps = 2, Lora = new() { Rank = 2 }, BaseWeights = BaseWeights.Int8 }, context),
            "ppo" => Ppo.Run(TinyRuns.Reinforcing(_runs.Talks) with { CheckpointSteps = 3, KlTarget = 0.5, KlHorizon = 20 }, context with { RewardModel = _runs.RewardModel().Draft.Files }),
            "grpo" => Grpo.Run(TinyRuns.Grouping(_runs.Talks) with { CheckpointSteps = 3, MiniBatches = 2, Beta = 0.04, Loss = "grpo" }, context),
            "rloo" => Grpo.Run(TinyRuns.LeavingOut(_runs.Talks) with { CheckpointSteps = 2 }, context),
            "kto" => Kto.Run(TinyRuns.Labelling(_runs.Labels) with { Accumulation = 2, CheckpointSteps = 2 }, context),
            "orpo" => Orpo.Run(TinyRuns.Odds(_runs.Pairs) with { Accumulation = 2, CheckpointSteps = 2 }, context),
            "simpo" => Simpo.Run(TinyRuns.Simple(_runs.Pairs) with { Accumulation = 2, CheckpointSteps = 2 }, context),
            _ => Sft.Run(TinyRuns.Tuning(_runs.Talks) with { Accumulation = 2, CheckpointSteps = 2, Lora = TinyRuns.Adapters(stage), BaseWeights = stage == "sft-qlora" ? BaseWeights.Int8 : BaseWeights.F32, Recompute = stage == "sft-qlora", NewTokens = stage == "sft-dropout" ? ["<|tool|>"] : [] }, context),
        };
        var whole = Run(_runs.Context(stage + "-whole", parent));
        var random = RandomStream.Of(7, "test", stage);
        for (var round = 0; round < 3; round++)
        {
            // Dies without a word in some steps, is asked to stop in others, until it gets through.
            var (name, deaths) = ($"{stage}-{round}", 0);
            StageResult? result = null;
            while (result is null)
            {
                using var cancel = new CancellationTokenSource();
                var heard = 0;
                var (dieAfter, politely) = (deaths < 4 ? random.Between(1, 4) : int.MaxValue, random.Chance(0.5));
                void Hear(StageProgress progress)
                {
                    if (progress.Message is not null || ++heard < dieAfter)
                        return;
                    if (!politely)
                        throw new Death();
                    cancel.Cancel();
                }
                try
                {
                    result = Run(_runs.Context(name, parent, Hear, cancel.Token));
                }
                catch (Exception e) when (e is Death or OperationCanceledException)
                {
                    deaths++;
                    // What a crash inside a write leaves behind.
                    File.WriteAllText(Path.Combine(_runs.Context(name).RunFolder, ".step-000000099.safetensors.x.attune-tmp"), "half");
                }
            }
            Assert.True(deaths > 0);
            Assert.Equal(TinyRuns.WeightsOf(whole), TinyRuns.WeightsOf(result));
            Assert.Equal(Lines(whole), Lines(result));
            Assert.Equal(whole.Draft.Lineage.Facts.ToJsonString(), result.Draft.Lineage.Facts.ToJsonString());
        }
    }

    /// <summary>One thread cannot show a sum whose order depends on who comes first.</summary>
    [Fact]
    public void TwoThreadsEndWithTheSameBitsToo()
    {
        var base2 = Interrupted("pretrain", context => Pretrain.Run(TinyRuns.Pretraining(_runs.Text) with { CheckpointSteps = 2 }, context), null);
        _ = Interrupted("sft", context => Sft.Run(TinyRuns.Tuning(_runs.Talks) with { Accumulation = 2, CheckpointSteps = 2, Lora = TinyRuns.Adapters("sft-lora") }, context), base2);

        StageResult Interrupted(string stage, Func<StageContext, StageResult> run, StageResult? parent)
        {
            StageContext Two(string name, Action<StageProgress>? hear = null) => _runs.Context($"two-{stage}-{name}", parent, hear) with { Threads = 2 };
            var whole = run(Two("whole"));
            Assert.Throws<Death>(() => run(Two("broken", p =>
            {
                if (p.Message is null && p.Step == 5)
                    throw new Death();
            })));
            var resumed = run(Two("broken"));
            Assert.Equal(2, resumed.Facts.Threads);
            Assert.Equal(TinyRuns.WeightsOf(whole), TinyRuns.WeightsOf(resumed));
            Assert.Equal(Lines(whole), Lines(resumed));
            return whole;
        }
    }

    [Fact]
    public void AFinishedRunIsNotRunAgain()
    {
        var first = Pretrain.Run(TinyRuns.Pretraining(_runs.Text), _runs.Context("done"));
        var steps = 0;
        var second = Pretrain.Run(TinyRuns.Pretraining(_runs.Text), _runs.Context("done", progress: _ => steps++));
        Assert.Equal(0, steps);
        Assert.Equal(TinyRuns.WeightsOf(first), TinyRuns.WeightsOf(second));
        Assert.Equal(first.Facts, second.Facts);
    }

    [Fact]
    public void ChangedOptionsAreNamedAndRefusedUnlessRestarted()
    {
        var options = TinyRuns.Pretraining(_runs.Text);
        _ = Pretrain.Run(options, _runs.Context("changed"));
        var error = Assert.Throws<TrainingException>(() => Pretrain.Run(options with { LearningRate = 0.5 }, _runs.Context("changed")));
        Assert.Equal("ATT5130", error.Code);
        Assert.Contains("learning_rate was 0.01, is 0.5", error.Message, StringComparison.Ordinal);
        var again = Pretrain.Run(options with { LearningRate = 0.02 }, _runs.Context("changed") with { Restart = true });
        Assert.Equal(0.02, again.Draft.Lineage.Options["learning_rate"]!.GetValue<double>());
    }

    [Fact]
    public void ChangedDataIsRefused()
    {
        var options = TinyRuns.Pretraining(_runs.Text);
        _ = Pretrain.Run(options, _runs.Context("data"));
        File.AppendAllText(_runs.Text, "{\"text\": \"One more.\"}\n");
        Assert.Equal("ATT5130", Assert.Throws<TrainingException>(() => Pretrain.Run(options, _runs.Context("data"))).Code);
    }

    [Fact]
    public void HowOftenItIsSavedMayChange()
    {
        using var cancel = new CancellationTokenSource();
        Assert.ThrowsAny<OperationCanceledException>(() => Pretrain.Run(TinyRuns.Pretraining(_runs.Text), _runs.Context("often", progress: _ => cancel.Cancel(), cancellation: cancel.Token)));
        var result = Pretrain.Run(TinyRuns.Pretraining(_runs.Text) with { CheckpointSteps = 1, KeepCheckpoints = 1 }, _runs.Context("often"));
        Assert.Equal(TinyRuns.WeightsOf(Pretrain.Run(TinyRuns.Pretraining(_runs.Text), _runs.Context("whole"))), TinyRuns.WeightsOf(result));
    }

    [Fact]
    public void OneProcessAtATimeHoldsTheFolder()
    {
        TrainingException? refused = null;
        Pretrain.Run(TinyRuns.Pretraining(_runs.Text), _runs.Context("held", progress: _ =>
            refused ??= Assert.Throws<TrainingException>(() => Pretrain.Run(TinyRuns.Pretraining(_runs.Text), _runs.Context("held")))));
        Assert.Equal("ATT5131", refused?.Code);
    }

    public void Dispose() => _runs.Dispose();

    // Every figure but the pace, which is the clock's.
    private string[] Lines(StageResult result) => [.. Directory.EnumerateFiles(Path.GetDirectoryName(Path.GetDirectoryName(result.Draft.Files.Paths.First().Value)!)!, MetricsLog.FileName, SearchOption.AllDirectories).SelectMany(File.ReadLines)
        .Select(line => string.Join(' ', JsonDocument.Parse(line).RootElement.EnumerateObject().Where(p => p.Name != "tokens_per_second").Select(p => p.ToString())))];
}
