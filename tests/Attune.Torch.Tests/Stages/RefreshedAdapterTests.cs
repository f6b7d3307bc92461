using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Adapters;
using Attune.Core.Data;
using Attune.Core.Versions;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;
using Attune.Torch.Stages;
using Xunit;

namespace Attune.Torch.Tests.Stages;

/// <summary>The upkeep of a reward model that is an adapter on a base: the same adapter, trained on, on the same base.</summary>
public sealed class RefreshedAdapterTests : IDisposable
{
    private readonly TinyRuns _runs = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AnAdapterStaysOneOnItsBase(bool dora)
    {
        var parent = _runs.Base();
        var first = Adapter(dora);
        using (var onBase = RewardFiles.OpenAdapter(first.Draft.Files, parent.Draft.Files, new RewardOptions(), "reward"))
        using (var merged = DecoderFiles.LoadReward(first.Draft.Files))
        {
            var rows = RaggedBatch.Of([[1, 2, 3, 4, 5], [6, 7, 8]]);
            Assert.All(RewardStep.Score(onBase, rows).Zip(RewardStep.Score(merged, rows)), s => Assert.Equal(s.First, s.Second, 1e-4));
        }

        var second = RewardRefresh.Run(TinyRuns.Refreshing(_runs.Talks) with { Steps = 30 }, Upkeep("second", first));
        Assert.Equal("sha256:base", (string?)second.Draft.Lineage.Facts["adapter_base"]);
        Assert.True(second.Draft.Lineage.Facts["accuracy_after"]!.GetValue<double>() >= second.Draft.Lineage.Facts["accuracy_before"]!.GetValue<double>(), second.Draft.Lineage.Facts.ToJsonString());
        using (AdapterFiles before = AdapterFiles.OfVersion(first.Draft.Files), after = AdapterFiles.OfVersion(second.Draft.Files))
        {
            Assert.Equal((2, dora), (after.Config.Rank, after.Config.Dora));
            Assert.Equal(before.Weights.Tensors.Select(t => (t.Name, t.ShapeText)), after.Weights.Tensors.Select(t => (t.Name, t.ShapeText)));
            Assert.All(after.Weights.Tensors, t => Assert.False(before.Weights.Bytes(t.Name).SequenceEqual(after.Weights.Bytes(t.Name)), t.Name));
        }
        Assert.Equal(TinyRuns.WeightsOf(second), MergedOnBase(second));

        // Once more, from what was refreshed.
        var third = RewardRefresh.Run(TinyRuns.Refreshing(_runs.Talks) with { Steps = 2 }, Upkeep("third", second));
        Assert.Equal(TinyRuns.WeightsOf(third), MergedOnBase(third));
    }

    [Fact]
    public void WithoutItsBaseItIsRefusedUnlessEveryWeightIsTrained()
    {
        var context = Upkeep("alone", Adapter(dora: false)) with { AdapterBase = null };
        var options = TinyRuns.Refreshing(_runs.Talks) with { Steps = 2 };
        Assert.Equal("ATT5210", Assert.Throws<TrainingException>(() => RewardRefresh.Run(options, context)).Code);
        Assert.False(AdapterFiles.IsIn(RewardRefresh.Run(options with { Whole = true }, context).Draft.Files));
    }

    public void Dispose() => _runs.Dispose();

    private StageResult Adapter(bool dora) =>
        Reward.Run(TinyRuns.Scoring(_runs.Pairs) with { Steps = 10, Lora = new() { Rank = 2, Dora = dora } }, _runs.Context("adapter", _runs.Base()));

    private StageContext Upkeep(string name, StageResult reward) =>
        _runs.Context(name, reward) with { Policy = _runs.Base().Draft.Files, AdapterBase = _runs.Base().Draft.Files, AdapterBaseDigest = "sha256:base" };

    private string MergedOnBase(StageResult version)
    {
        using var model = RewardFiles.OpenAdapter(version.Draft.Files, _runs.Base().Draft.Files, new RewardOptions(), "reward");
        var path = Path.Combine(_runs.Folder, ModelFiles.Weights);
        model.Save(path);
        return Digests.Sha256Of(path);
    }
}
