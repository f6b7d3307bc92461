using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Adapters;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Torch.Models;
using Attune.Torch.Stages;
using Attune.Torch.Tests.Models;

namespace Attune.Torch.Tests.Stages;

/// <summary>SFT on every family of shared/vectors/models, whole and by adapters: it learns, moves all that it trains and nothing else, and what it stores loads.</summary>
public sealed class FamilyStageVectors : IDisposable
{
    private readonly TinyRuns _runs = new();

    public void Dispose() => _runs.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Two_steps_move_what_is_trained_and_nothing_else(int rank)
    {
        // So little that both steps see all of it: their losses compare.
        var talks = _runs.Write("few.jsonl", string.Join('\n', File.ReadLines(_runs.Talks).Take(8)));
        ModelCase.EachSupported(model =>
        {
            var parent = Parent(model);
            var options = TinyRuns.Tuning(talks) with { Steps = 2, MicroBatchTokens = 4096, LearningRate = 1e-3, Lora = new() { Rank = rank } };
            var losses = new List<double>();
            var result = Sft.Run(options, _runs.Context($"sft-{rank}-{Path.GetFileName(model.Folder)}", progress: p => losses.AddRange(p.Message is null ? [p.Loss] : [])) with { Parent = parent });

            Assert.Equal(2, losses.Count);
            Assert.All(losses, loss => Assert.True(double.IsFinite(loss)));
            Assert.True(losses[1] < losses[0], $"the loss went from {losses[0]} to {losses[1]}");
            using var stored = DecoderFiles.Load(result.Draft.Files);
            Assert.Equal(result.Facts.Parameters, stored.Config.Parameters);
            using (var before = WeightFiles.Open(parent))
            using (var after = WeightFiles.Open(result.Draft.Files))
            {
                // Adapters are on the matrices of the blocks; the tables of tokens and positions, the norms and the head stay.
                var blocks = $"{stored.Config.Names.Body}.{stored.Config.Names.Layers}.";
                Assert.Equal(before.Tensors.Select(t => t.Name), after.Tensors.Select(t => t.Name));
                foreach (var tensor in before.Tensors)
                {
                    var trained = rank == 0 || (tensor.Shape.Count == 2 && tensor.Name.StartsWith(blocks, StringComparison.Ordinal));
                    Assert.True(trained != before.Bytes(tensor.Name).SequenceEqual(after.Bytes(tensor.Name)), $"{tensor.Name} {(trained ? "stayed" : "moved")}");
                }
            }
            if (rank > 0)
                AdaptersMoved(parent, options, result.Draft.Files);
        });
    }

    private static void AdaptersMoved(ModelFiles parent, SftOptions options, ModelFiles version)
    {
        using var start = Tuning.Load(parent, options, "sft");
        using var adapter = SafetensorsFile.Open(version.Require(AdapterFiles.InVersion + AdapterFiles.WeightsName));
        Assert.Equal(start.Trained().Select(p => p.Name).Order(StringComparer.Ordinal), adapter.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal));
        Assert.All(start.Trained(), p => Assert.False(p.Value.bytes.SequenceEqual(adapter.Bytes(p.Name)), p.Name));
    }

    /// <summary>The family's shape with the vocabulary of a tokenizer that there is: those of the reference have none.</summary>
    private ModelFiles Parent(ModelCase model)
    {
        var parent = _runs.Base().Draft.Files;
        var (tokenizer, ends) = (Tokenizer.Load(parent.Require(ModelFiles.Tokenizer)), HuggingFaceConfig.Read(parent.Require(ModelFiles.Config)));
        var config = HuggingFaceConfig.Read(model.Files.Require(ModelFiles.Config)) with
        {
            VocabularySize = tokenizer.VocabularySize,
            BosTokenId = ends.BosTokenId,
            EosTokenIds = ends.EosTokenIds,
            PadTokenId = ends.PadTokenId,
        };
        var folder = Path.Combine(_runs.Folder, Path.GetFileName(model.Folder));
        using (var decoder = new Decoder(config))
        {
            decoder.Initialise(3);
            decoder.SaveFolder(folder);
        }
        tokenizer.Save(Path.Combine(folder, ModelFiles.Tokenizer));
        return ModelFiles.OfFolder(folder);
    }
}
