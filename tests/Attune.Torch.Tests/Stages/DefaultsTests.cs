using Attune.Torch.Native;
using Attune.Torch.Stages;
using Xunit;

namespace Attune.Torch.Tests.Stages;

/// <summary>
/// The defaults are those that the field has settled on (TRL, unless another is named). Where ours differ on purpose the test
/// says from what, and the options say why.
/// </summary>
public sealed class DefaultsTests
{
    [Fact]
    public void Sft()
    {
        var options = new SftOptions();
        // On purpose, for small models: TRL takes 2e-5 and 1024.
        Assert.Equal((1e-3, 256), (options.LearningRate, options.SequenceLength));
    }

    [Fact]
    public void Reward()
    {
        var options = new RewardOptions();
        Assert.Equal(("pairs", 1e-5), (options.Likelihood, options.LearningRate));
        // On purpose: TRL leaves centring out and recommends 0.01, and takes margins wherever the data has them.
        Assert.Equal((0.01, 0.0), (options.Centring, options.MarginScale));
    }

    [Fact]
    public void Dpo()
    {
        var options = new DpoOptions();
        Assert.Equal(("sigmoid", 0.1, 1e-6), (options.Loss, options.Beta, options.LearningRate));
        Assert.Equal((0.0, 0.0, 0.0), (options.LabelSmoothing, options.SftWeight, options.Lora.Dropout));
    }

    [Fact]
    public void Kto()
    {
        var options = new KtoOptions();
        Assert.Equal((0.1, 1.0, 1.0, 1e-6), (options.Beta, options.DesirableWeight, options.UndesirableWeight, options.LearningRate));
    }

    [Fact]
    public void Orpo() => Assert.Equal((0.1, 1e-6), (new OrpoOptions().Beta, new OrpoOptions().LearningRate));

    [Fact]
    public void Simpo()
    {
        var options = new SimpoOptions();
        // On purpose: the paper's 2 to 2.5; LLaMA-Factory takes DPO's 0.1.
        Assert.Equal(2, options.Beta);
        Assert.Equal((0.5, 0.0), (options.Gamma, options.SftWeight));
    }

    [Fact]
    public void Ppo()
    {
        var options = new PpoOptions();
        Assert.Equal((3e-6, 4, 0.7), (options.LearningRate, options.Passes, options.Temperature));
        Assert.Equal((0.05, "k1", null), (options.KlCoefficient, options.KlEstimator, options.KlTarget));
        Assert.Equal((0.2, 0.2, 0.1), (options.PolicyClip, options.ValueClip, options.ValueCoefficient));
        Assert.Equal((1.0, 0.95, false), (options.Gamma, options.Lambda, options.WhitenRewards));
        // On purpose: TRL recommends a penalty for a missing end and takes none; ±10 is OpenRLHF's.
        Assert.Equal((1.0, 10.0), (options.MissingEndPenalty, options.RewardClip));
    }

    [Fact]
    public void Grpo()
    {
        var options = new GrpoOptions();
        Assert.Equal(("dapo", 8, 0.0, 1e-6), (options.Loss, options.Samples, options.Beta, options.LearningRate));
        Assert.Equal((0.2, 0.28, "group"), (options.ClipLow, options.ClipHighTaken, options.AdvantagesTaken));
        Assert.Equal((0.2, "group"), ((options with { Loss = "grpo" }).ClipHighTaken, (options with { Loss = "bnpo" }).AdvantagesTaken));
        Assert.Equal((0.2, "unscaled"), ((options with { Loss = "dr_grpo" }).ClipHighTaken, (options with { Loss = "dr_grpo" }).AdvantagesTaken));
        Assert.Equal((1.0, 1, false), (options.Temperature, options.Passes, options.SequenceRatio));
    }

    [Fact]
    public void Rloo()
    {
        var options = new RlooOptions();
        Assert.Equal((0.05, 0.2, 1e-6), (options.Beta, options.PolicyClip, options.LearningRate));
        // On purpose: TRL takes 2, the fewest that make a baseline.
        Assert.Equal(4, options.Samples);
    }

    [Fact]
    public void A_refresh_trains_as_it_was_told_to()
    {
        var refresh = new RewardRefreshOptions { Device = ComputeDevice.Cuda, Dtype = ComputeType.Bf16, LogitRows = 7, LearningRate = 0.5, Seed = 9, KeepCheckpoints = 5, Data = ["prompts"] };
        var trained = new RewardOptions(refresh);
        Assert.All(typeof(TrainingOptions).GetProperties().Where(p => p.CanWrite), p => Assert.Equal(p.GetValue(refresh), p.GetValue(trained)));
    }
}
