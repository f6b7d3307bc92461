using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Versions;
using Attune.Prompts;
using Attune.Torch.Optimisers;
using Attune.Torch.Stages;
using Xunit;

namespace Attune.Torch.Tests.Stages;

/// <summary>A score that is no number is refused before anything learns from it, whoever gave it.</summary>
public sealed class NonFiniteScoreTests : IDisposable
{
    private readonly TinyRuns _runs = new();

    [Theory]
    [InlineData("ppo")]
    [InlineData("grpo")]
    [InlineData("rloo")]
    public void NothingIsLearntFromADamagedRewardModelAndTheFolderIsFree(string stage)
    {
        var parent = _runs.Base();
        StageResult Run(string folder, ModelFiles? reward, params string[] rules)
        {
            var context = _runs.Context(folder, parent) with { RewardModel = reward };
            return stage switch
            {
                "ppo" => Ppo.Run(TinyRuns.Reinforcing(_runs.Talks) with { Steps = 4, Rules = rules, Truth = [] }, context),
                "grpo" => Grpo.Run(TinyRuns.Grouping(_runs.Talks) with { Steps = 2, Rules = rules }, context),
                _ => Grpo.Run(TinyRuns.LeavingOut(_runs.Talks) with { Steps = 2, Rules = rules }, context),
            };
        }

        var refused = Assert.Throws<TrainingException>(() => Run("scored", Damaged()));
        Assert.Equal(("ATT5208", "reward_model"), (refused.Code, refused.Field));
        var folder = _runs.Context("scored").RunFolder;
        Assert.False(Directory.Exists(Path.Combine(folder, "checkpoints")));
        Assert.Empty(Directory.GetFiles(folder, "rollouts-*"));
        refused = Assert.Throws<TrainingException>(() => Run("scored", null, "1e308*not:xyz", "1e308*not:zyx"));
        Assert.Equal(("ATT5208", "rules"), (refused.Code, refused.Field));

        var reward = _runs.RewardModel().Draft.Files;
        Assert.Equal(TinyRuns.WeightsOf(Run("fresh", reward)), TinyRuns.WeightsOf(Run("scored", reward)));
    }

    [Fact]
    public void UpkeepAndRankingRefuseItToo()
    {
        var policy = _runs.Base();
        var upkeep = _runs.Context("refresh") with { Parent = Damaged(), Policy = policy.Draft.Files };
        Assert.Equal("ATT5208", Assert.Throws<TrainingException>(() => RewardRefresh.Run(TinyRuns.Refreshing(_runs.Talks), upkeep)).Code);
        Assert.False(Directory.Exists(Path.Combine(upkeep.RunFolder, "train")));

        using var scorer = RewardScorer.Open(Damaged());
        var talk = new Conversation([new Message("user", "Where is Ada?"), new Message("assistant", "Oslo")]);
        Assert.Equal("ATT5208", Assert.Throws<TrainingException>(() => scorer.Score([talk], TestContext.Current.CancellationToken)).Code);
    }

    public void Dispose() => _runs.Dispose();

    // Every tensor but the score as it was.
    private ModelFiles Damaged()
    {
        var folder = Path.Combine(_runs.Folder, "damaged");
        Directory.CreateDirectory(folder);
        foreach (var (name, path) in _runs.RewardModel().Draft.Files.Paths)
            File.Copy(path, Path.Combine(folder, name), overwrite: true);
        using var good = SafetensorsFile.Open(_runs.RewardModel().Draft.Files.Require(ModelFiles.Weights));
        SafetensorsWriter.Write(Path.Combine(folder, ModelFiles.Weights), good.Tensors.Select(t => t.Name.StartsWith("score", StringComparison.Ordinal)
            ? TensorSource.Of(t.Name, t.Shape, Enumerable.Repeat(float.NaN, (int)t.Shape.Aggregate((a, b) => a * b)).ToArray())
            : TensorSource.Of(t.Name, t.Type, t.Shape, good.Bytes(t.Name).ToArray())));
        return ModelFiles.OfFolder(folder);
    }
}
