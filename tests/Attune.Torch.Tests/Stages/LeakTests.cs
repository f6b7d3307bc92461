using Attune.Torch.Kernels;
using Attune.Torch.Models;
using Attune.Torch.Stages;
using TorchSharp;
using Xunit;

namespace Attune.Torch.Tests.Stages;

/// <summary>Tensors alive before a step = after it, in every stage: the garbage collector does not see native memory.</summary>
public sealed class LeakTests : IDisposable
{
    private readonly TinyRuns _runs = new();

    [Theory]
    [InlineData("pretrain")]
    [InlineData("sft")]
    [InlineData("sft-lora")]
    [InlineData("sft-qlora")]
    [InlineData("dpo")]
    [InlineData("dpo-listwise")]
    [InlineData("reward")]
    [InlineData("ppo")]
    [InlineData("ppo-lora")]
    [InlineData("reward-lora")]
    [InlineData("grpo")]
    [InlineData("rloo")]
    [InlineData("kto")]
    [InlineData("orpo")]
    [InlineData("simpo")]
    public void NoStepLeavesATensorBehind(string stage)
    {
        var parent = stage == "pretrain" ? null : _runs.Base();
        if (stage == "ppo")
            _ = _runs.RewardModel();
        var alive = new List<long>();
        var context = _runs.Context("leak-" + stage, parent, _ => alive.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount));
        Handover.Clear(); // what another test's backward left on this thread
        var before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        _ = stage switch
        {
            "pretrain" => Pretrain.Run(TinyRuns.Pretraining(_runs.Text) with { Validation = [_runs.Text], ValidateEvery = 3, CheckpointSteps = 2 }, context),
            "dpo" => Dpo.Run(TinyRuns.Preferring(_runs.Pairs) with { Validation = [_runs.Pairs], ValidateEvery = 3, CheckpointSteps = 2, SftWeight = 0.1 }, context),
            "dpo-listwise" => Dpo.Run(TinyRuns.Preferring(_runs.Rankings) with { Loss = "listwise", Validation = [_runs.Rankings], ValidateEvery = 3, CheckpointSteps = 2, SftWeight = 0.1 }, context),
            "reward" => Reward.Run(TinyRuns.Scoring(_runs.Pairs) with { Validation = [_runs.Pairs], ValidateEvery = 3, CheckpointSteps = 2, MarginScale = 1 }, context),
            "ppo-lora" => Ppo.Run(TinyRuns.Reinforcing(_runs.Talks) with { CheckpointSteps = 2, Lora = new() { Rank = 2 } }, context with { RewardModel = _runs.RewardModel().Draft.Files }),
            "reward-lora" => Reward.Run(TinyRuns.Scoring(_runs.Pairs) with { CheckpointSteps = 2, Lora = new() { Rank = 2 }, BaseWeights = BaseWeights.Int8 }, context),
            "ppo" => Ppo.Run(TinyRuns.Reinforcing(_runs.Talks) with { CheckpointSteps = 2 }, context with { RewardModel = _runs.RewardModel().Draft.Files }),
            "grpo" => Grpo.Run(TinyRuns.Grouping(_runs.Talks) with { Steps = 6, CheckpointSteps = 2, MiniBatches = 2, Beta = 0.04 }, context),
            "rloo" => Grpo.Run(TinyRuns.LeavingOut(_runs.Talks) with { Steps = 6, CheckpointSteps = 2 }, context),
            "kto" => Kto.Run(TinyRuns.Labelling(_runs.Labels) with { Validation = [_runs.Labels], ValidateEvery = 3, CheckpointSteps = 2 }, context),
            "orpo" => Orpo.Run(TinyRuns.Odds(_runs.Pairs) with { Validation = [_runs.Pairs], ValidateEvery = 3, CheckpointSteps = 2 }, context),
            "simpo" => Simpo.Run(TinyRuns.Simple(_runs.Pairs) with { Validation = [_runs.Pairs], ValidateEvery = 3, CheckpointSteps = 2, SftWeight = 0.1 }, context),
            _ => Sft.Run(TinyRuns.Tuning(_runs.Talks) with { Validation = [_runs.Talks], ValidateEvery = 3, CheckpointSteps = 2, Patience = 100, Lora = TinyRuns.Adapters(stage), BaseWeights = stage == "sft-qlora" ? BaseWeights.Int8 : BaseWeights.F32, Recompute = stage == "sft-qlora" }, context),
        };
        Assert.True(alive.Count >= 6);
        Assert.All(alive.Skip(1), count => Assert.Equal(alive[0], count));
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    public void Dispose() => _runs.Dispose();
}
