using System.Reflection;
using System.Text.Json;
using Attune.Torch.Stages;
using Xunit;

namespace Attune.Torch.Tests.Stages;

/// <summary>
/// The losses of tiny runs, pinned in Trajectories/*.json: same seed, same losses. Data order, masks, initial weights,
/// schedule and optimiser all show in them. CPUs sum in different orders, and steps multiply what that makes, so a loss
/// may differ by a thousandth; whatever changes a run on purpose changes it more. A failing test prints the new file.
/// </summary>
public sealed class TrajectoryTests : IDisposable
{
    private const double Tolerance = 1e-3;
    private readonly TinyRuns _runs = new();

    [Theory]
    [InlineData("pretrain")]
    [InlineData("sft")]
    [InlineData("dpo")]
    [InlineData("reward")]
    [InlineData("ppo")]
    [InlineData("grpo")]
    [InlineData("rloo")]
    [InlineData("kto")]
    [InlineData("orpo")]
    [InlineData("simpo")]
    public void SameSeedSameLosses(string stage)
    {
        var parent = stage == "pretrain" ? null : _runs.Base();
        var losses = new List<double>();
        var context = _runs.Context("pinned", parent, p =>
        {
            if (p.Message is null)
                losses.Add(p.Loss);
        });
        _ = stage switch
        {
            "pretrain" => Pretrain.Run(TinyRuns.Pretraining(_runs.Text), context),
            "sft" => Sft.Run(TinyRuns.Tuning(_runs.Talks), context),
            "reward" => Reward.Run(TinyRuns.Scoring(_runs.Pairs), context),
            "ppo" => Ppo.Run(TinyRuns.Reinforcing(_runs.Talks), context with { RewardModel = _runs.RewardModel().Draft.Files }),
            "grpo" => Grpo.Run(TinyRuns.Grouping(_runs.Talks) with { Passes = 2, MiniBatches = 2, Steps = 6 }, context),
            "rloo" => Grpo.Run(TinyRuns.LeavingOut(_runs.Talks) with { Passes = 2, MiniBatches = 2, Steps = 6 }, context),
            "kto" => Kto.Run(TinyRuns.Labelling(_runs.Labels), context),
            "orpo" => Orpo.Run(TinyRuns.Odds(_runs.Pairs), context),
            "simpo" => Simpo.Run(TinyRuns.Simple(_runs.Pairs), context),
            _ => Dpo.Run(TinyRuns.Preferring(_runs.Pairs), context),
        };
        var pinned = Pinned(stage);
        var now = JsonSerializer.Serialize(losses.Select(l => Math.Round(l, 6)));
        Assert.True(pinned.Length == losses.Count && losses.Zip(pinned).All(p => Math.Abs(p.First - p.Second) <= Tolerance * Math.Max(1, Math.Abs(p.Second))),
            $"Trajectories/{stage}.json is [{string.Join(',', pinned)}], the run gives {now}");
    }

    public void Dispose() => _runs.Dispose();

    private static double[] Pinned(string stage)
    {
        using var file = Assembly.GetExecutingAssembly().GetManifestResourceStream($"{stage}.json");
        return file is null ? [] : JsonSerializer.Deserialize<double[]>(file)!;
    }
}
