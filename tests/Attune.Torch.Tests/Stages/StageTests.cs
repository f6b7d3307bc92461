using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Adapters;
using Attune.Core.Data;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Prompts;
using Attune.Torch.Models;
using Attune.Torch.Native;
using Attune.Torch.Optimisers;
using Attune.Torch.Stages;
using Xunit;

namespace Attune.Torch.Tests.Stages;

public sealed class StageTests : IDisposable
{
    private readonly TinyRuns _runs = new();

    [Fact]
    public void AModelGoesFromBaseToInstructToChat()
    {
        var parent = _runs.Base();
        Assert.Equal(VersionKind.Base, parent.Draft.Kind);
        var instruct = Sft.Run(TinyRuns.Tuning(_runs.Talks), _runs.Context("instruct", parent));
        var losses = new List<StageProgress>();
        var chat = Dpo.Run(TinyRuns.Preferring(_runs.Pairs), _runs.Context("chat", instruct, losses.Add));

        Assert.Equal((VersionKind.Instruct, VersionKind.Chat), (instruct.Draft.Kind, chat.Draft.Kind));
        Assert.Equal(3, new[] { parent, instruct, chat }.Select(TinyRuns.WeightsOf).Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(Math.Log(2), losses[0].Loss, 1e-4); // the policy is the reference: Δ is 0
        Assert.True(losses[^1].Metrics.Single(m => m.Key == "rewards/margins").Value > 0);
        foreach (var result in new[] { parent, instruct, chat })
        {
            foreach (var file in new[] { ModelFiles.Config, ModelFiles.Weights, ModelFiles.Tokenizer, ModelFiles.TokenizerConfig, ModelFiles.GenerationConfig, ModelFiles.Card })
                Assert.True(File.Exists(result.Draft.Files.Require(file)), file);
            using var loaded = DecoderFiles.Load(result.Draft.Files);
            Assert.Equal(result.Facts.Parameters, loaded.Config.Parameters);
            Assert.True(result.Facts.Tokens > 0 && result.Facts.Seconds > 0 && result.Facts.PeakMemoryBytes > 0);
        }
        Assert.Equal("sha256:" + TinyRuns.WeightsOf(instruct), chat.Draft.Lineage.Parent);
        var shares = parent.Draft.Lineage.Facts["data_shares"]!.AsArray().Select(s => s!["kind"]!.GetValue<string>());
        Assert.Equal(["plain", "short"], shares.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void TheContractTravelsWithTheModel()
    {
        var instruct = Sft.Run(TinyRuns.Tuning(_runs.Talks), _runs.Context("instruct", _runs.Base()));
        var chat = Dpo.Run(TinyRuns.Preferring(_runs.Pairs), _runs.Context("chat", instruct));
        var contract = PromptContract.FromJson(File.ReadAllText(chat.Draft.Files.Require(ModelFiles.PromptContract)));
        Assert.Equal("chatml", contract.Name);
        Assert.Equal(contract.Hash, instruct.Draft.Lineage.Contract);
        Assert.Equal(contract.Hash, chat.Draft.Lineage.Contract);
        Assert.Contains("<|im_start|>", File.ReadAllText(chat.Draft.Files.Require(ModelFiles.ChatTemplate)), StringComparison.Ordinal);
        Assert.Equal(contract.StopIds, GenerationConfig.Read(chat.Draft.Files.Require(ModelFiles.GenerationConfig)).EosTokenIds);
    }

    [Fact]
    public void ARowThatTheContractRefusesIsNamed()
    {
        var rows = _runs.Write("tools.jsonl", """
            {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}
            {"messages": [{"role": "narrator", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}

            """);
        var parent = _runs.Base();
        var error = Assert.ThrowsAny<AttuneException>(() => Sft.Run(TinyRuns.Tuning(rows), _runs.Context("refused", parent)));
        Assert.Equal((rows, 2), (error.File, error.Line));
        Assert.Equal("ATT5126", Assert.Throws<TrainingException>(() => Sft.Run(TinyRuns.Tuning(_runs.Talks) with { Contract = "chatlm" }, _runs.Context("unknown", parent))).Code);
    }

    [Fact]
    public void ALookEndsBeforeTheFirstStep()
    {
        using var cancel = new CancellationTokenSource();
        StagePreflight? seen = null;
        var context = _runs.Context("look", progress: _ => Assert.Fail("no step"), cancellation: cancel.Token) with
        {
            Preflight = new Listener<StagePreflight>(p =>
            {
                seen = p;
                cancel.Cancel();
            }),
        };
        Assert.ThrowsAny<OperationCanceledException>(() => Pretrain.Run(TinyRuns.Pretraining(_runs.Text) with { Steps = 60 }, context));
        Assert.True(seen!.Estimate.TokensPerSecond > 0 && seen.Estimate.Seconds > 0);
        Assert.Contains(seen.Rows.Samples, s => s.Tokens.Any(t => t.Trained));
    }

    [Fact]
    public void ATrialChangesNothing() => Assert.Equal(
        TinyRuns.WeightsOf(Pretrain.Run(TinyRuns.Pretraining(_runs.Text) with { Steps = 55 }, _runs.Context("with"))),
        TinyRuns.WeightsOf(ResumedWithoutTrial()));

    private StageResult ResumedWithoutTrial()
    {
        using var cancel = new CancellationTokenSource();
        var options = TinyRuns.Pretraining(_runs.Text) with { Steps = 55 };
        Assert.ThrowsAny<OperationCanceledException>(() => Pretrain.Run(options, _runs.Context("without", progress: p => cancel.Cancel(), cancellation: cancel.Token)));
        return Pretrain.Run(options, _runs.Context("without"));
    }

    [Fact]
    public void EqualRunsInDifferentFoldersGiveEqualFilesAndLineage()
    {
        var (one, two) = (Pretrain.Run(TinyRuns.Pretraining(_runs.Text), _runs.Context("one")), Pretrain.Run(TinyRuns.Pretraining(_runs.Text), _runs.Context("two")));
        foreach (var (name, path) in one.Draft.Files.Paths)
            Assert.Equal(File.ReadAllBytes(path), File.ReadAllBytes(two.Draft.Files.Require(name)));
        Assert.Equal(LineageJson.ToJson(one.Draft.Lineage).ToJsonString(), LineageJson.ToJson(two.Draft.Lineage).ToJsonString());
        Assert.DoesNotContain(Path.GetTempPath(), LineageJson.ToJson(one.Draft.Lineage).ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public void AnotherSeedGivesAnotherModel() => Assert.NotEqual(
        TinyRuns.WeightsOf(Pretrain.Run(TinyRuns.Pretraining(_runs.Text), _runs.Context("one"))),
        TinyRuns.WeightsOf(Pretrain.Run(TinyRuns.Pretraining(_runs.Text) with { Seed = 2 }, _runs.Context("two"))));

    [Fact]
    public void AccumulationGivesTheStepOfOneLargeBatch()
    {
        // Micro-batches of unequal label counts: dividing each by its own would give another loss (failure 7).
        var rows = new[] { Row(40), Row(7), Row(25) };
        using var scope = TorchSharp.torch.NewDisposeScope();
        var results = new[] { new[] { rows }, [.. rows.Select(r => new[] { r })] }.Select(parts =>
        {
            var decoder = new Decoder(Config());
            decoder.Initialise(3);
            using var optimiser = new Optimiser(OptimiserRules.Plan(decoder.Weights(), "adamw", 1, 0), new OptimiserSettings());
            return SftStep.Run(decoder, optimiser, new UpdateSettings(1, 1e-3, 0), [.. parts.Select(p => RaggedBatch.Of(p))]);
        }).ToArray();
        Assert.Equal(results[0].Loss, results[1].Loss, 1e-5);
        Assert.Equal(results[0].GradientNorm, results[1].GradientNorm, 1e-4);
    }

    [Fact]
    public void DivergenceIsATypedErrorAndTheLastCheckpointStays()
    {
        var options = TinyRuns.Pretraining(_runs.Text) with { LearningRate = 1e30, Optimiser = "adamw", Clip = 0, CheckpointSteps = 1, WarmupShare = 0, Schedule = "constant" };
        var error = Assert.Throws<TrainingException>(() => Pretrain.Run(options, _runs.Context("diverged")));
        Assert.Equal("ATT5120", error.Code);
        Assert.Contains("learning rate", error.Message, StringComparison.Ordinal);
        Assert.NotNull(error.Hint);
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(_runs.Context("diverged").RunFolder, "checkpoints")));
    }

    [Fact]
    public void EarlyStoppingEndsTheRunWithTheBestWeights()
    {
        var seen = new List<StageProgress>();
        var options = TinyRuns.Pretraining(_runs.Text) with { Validation = [_runs.Text], ValidateEvery = 1, Patience = 2, Steps = 40, LearningRate = 1, Clip = 0, Schedule = "constant", Optimiser = "adamw" };
        var result = Pretrain.Run(options, _runs.Context("early", progress: seen.Add));
        Assert.True(result.Facts.Steps < 40, "a rate of 1 gets worse soon");
        using var decoder = DecoderFiles.Load(result.Draft.Files);
        var best = seen.Where(p => p.ValidationLoss is not null).MinBy(p => p.ValidationLoss)!;
        Assert.Equal(best.Step, result.Draft.Lineage.Facts["best_step"]!.GetValue<long>());
    }

    [Fact]
    public void ReplayIsMixedInByItsShareOfTokens()
    {
        var parent = _runs.Base();
        StagePreflight? preflight = null;
        var context = _runs.Context("replayed", parent) with { Preflight = new Listener<StagePreflight>(p => preflight = p) };
        Sft.Run(TinyRuns.Tuning(_runs.Talks) with { Replay = [_runs.Text], ReplayShare = 0.3 }, context);
        var replay = preflight!.Rows.Kinds.Single(k => k.Kind == Replay.Kind);
        Assert.Equal(0.3, (double)replay.Tokens / preflight.Rows.Tokens, 0.02);
        Assert.Equal(replay.Tokens - replay.Rows, replay.TrainedTokens);
        Assert.True(preflight.Estimate.TotalBytes > 0);
    }

    [Fact]
    public void LoraTrainsNothingButWhatItsAdaptersSpan()
    {
        var parent = _runs.Base();
        var child = Sft.Run(TinyRuns.Tuning(_runs.Talks) with { Lora = new() { Rank = 2, Targets = ["q_proj", "down_proj"] } }, _runs.Context("lora", parent));
        using var before = SafetensorsFile.Open(parent.Draft.Files.Require(ModelFiles.Weights));
        using var after = SafetensorsFile.Open(child.Draft.Files.Require(ModelFiles.Weights));
        foreach (var tensor in before.Tensors)
        {
            var same = before.Bytes(tensor.Name).SequenceEqual(after.Bytes(tensor.Name));
            Assert.Equal(!tensor.Name.Contains("q_proj", StringComparison.Ordinal) && !tensor.Name.Contains("down_proj", StringComparison.Ordinal), same);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void TokensThatAContractLacksAreAddedAndTheirRowsTrained(int rank)
    {
        var parent = _runs.Base();
        var options = TinyRuns.Tuning(_runs.Talks) with { Contract = "gemma", Lora = new() { Rank = rank } };
        Assert.Equal("ATT1102", Assert.ThrowsAny<AttuneException>(() => Sft.Run(options, _runs.Context("lacks", parent))).Code);

        var child = Sft.Run(options with { NewTokens = ["<start_of_turn>", "<end_of_turn>"] }, _runs.Context(FormattableString.Invariant($"grown-{rank}"), parent));
        var (before, after) = (Tokenizer.Load(parent.Draft.Files.Require(ModelFiles.Tokenizer)), Tokenizer.Load(child.Draft.Files.Require(ModelFiles.Tokenizer)));
        Assert.Equal(before.VocabularySize + 2, after.VocabularySize);
        using var decoder = DecoderFiles.Load(child.Draft.Files);
        Assert.Equal(after.VocabularySize, decoder.Config.VocabularySize);
        Assert.Equal(after.AddedTokens["<end_of_turn>"], decoder.Config.EosTokenIds[0]);
        // Both began at the mean: what tells them apart was learnt.
        var rows = decoder.Body.Embedding.Weight;
        Assert.False(rows[after.AddedTokens["<start_of_turn>"]].allclose(rows[after.AddedTokens["<end_of_turn>"]]));
        Assert.False(Directory.Exists(Path.Combine(_runs.Context(FormattableString.Invariant($"grown-{rank}")).RunFolder, "grown")));
        if (rank > 0)
            Assert.Equal(["embed_tokens"], AdapterConfig.Read(child.Draft.Files.Require(AdapterFiles.InVersion + AdapterConfig.FileName)).Targets.Saved);
    }

    [Fact]
    public void DropoutIsForSft() => Assert.Equal("ATT5136", Assert.Throws<TrainingException>(() =>
        Dpo.Run(TinyRuns.Preferring(_runs.Pairs) with { Lora = new() { Rank = 2, Dropout = 0.1 } }, _runs.Context("dpo-dropout", _runs.Base()))).Code);

    [Theory]
    [InlineData(BaseWeights.F32)]
    [InlineData(BaseWeights.Int8)]
    public void AnAdapterOfARunIsPeftsAndMergesToItsVersion(BaseWeights weights)
    {
        var parent = _runs.Base();
        var child = Sft.Run(TinyRuns.Tuning(_runs.Talks) with { Lora = new() { Rank = 2, Dora = true }, BaseWeights = weights }, _runs.Context("peft", parent));
        var folder = Path.Combine(_runs.Context("adapter").RunFolder, "adapter");
        AdapterFiles.Export(child.Draft.Files, folder, "parent");
        Assert.Equal("parent", AdapterConfig.Read(Path.Combine(folder, AdapterConfig.FileName)).BaseModel);

        using var decoder = DecoderFiles.Load(parent.Draft.Files);
        Lora.Load(decoder, folder);
        decoder.Save(Path.Combine(folder, ModelFiles.Weights));
        Assert.Equal(TinyRuns.WeightsOf(child), Digests.Sha256Of(Path.Combine(folder, ModelFiles.Weights)));
    }

    [Fact]
    public void DpoWithAdaptersStartsAtItsReferenceAndLearns()
    {
        var losses = new List<StageProgress>();
        Dpo.Run(TinyRuns.Preferring(_runs.Pairs) with { Lora = new() { Rank = 4 }, BaseWeights = BaseWeights.Int8 }, _runs.Context("dpo-lora", _runs.Base(), losses.Add));
        Assert.Equal(Math.Log(2), losses[0].Loss, 1e-4);
        Assert.True(losses[^1].Metrics.Single(m => m.Key == "rewards/margins").Value > 0);
    }

    [Fact]
    public void HalfPrecisionFollowsFullPrecisionAndKeepsFloatWeights()
    {
        List<double> Losses(ComputeType type)
        {
            var losses = new List<double>();
            var result = Sft.Run(TinyRuns.Tuning(_runs.Talks) with { Dtype = type }, _runs.Context(type.ToString(), _runs.Base(), p => losses.Add(p.Loss)));
            using var file = SafetensorsFile.Open(result.Draft.Files.Require(ModelFiles.Weights));
            Assert.All(file.Tensors, t => Assert.Equal(TensorType.F32, t.Type));
            return losses;
        }
        var (full, half) = (Losses(ComputeType.F32), Losses(ComputeType.Bf16));
        Assert.All(full.Zip(half), p => Assert.Equal(p.First, p.Second, p.First * 0.02));
        Assert.NotEqual(full, half);
        Assert.True(half[^1] < half[0]);
    }

    [Theory]
    [InlineData("pretrain")]
    [InlineData("sft")]
    [InlineData("dpo")]
    public void ADeviceThatIsNotThereIsRefusedBeforeAnyWork(string stage)
    {
        Assert.SkipWhen(File.Exists("/proc/driver/nvidia/version"), "there is a card");
        var parent = stage == "pretrain" ? null : _runs.Base();
        var context = _runs.Context("cuda", parent);
        var error = Assert.Throws<TrainingException>(() => stage switch
        {
            "pretrain" => Pretrain.Run(TinyRuns.Pretraining(_runs.Text) with { Device = ComputeDevice.Cuda }, context),
            "sft" => Sft.Run(TinyRuns.Tuning(_runs.Talks) with { Device = ComputeDevice.Cuda }, context),
            _ => Dpo.Run(TinyRuns.Preferring(_runs.Pairs) with { Device = ComputeDevice.Cuda }, context),
        });
        Assert.Equal(("ATT5135", "device"), (error.Code, error.Field));
        Assert.False(Directory.Exists(context.RunFolder));
    }

    [Fact]
    public void AFileWithAWeightIsTakenThatOften()
    {
        StagePreflight? preflight = null;
        var context = _runs.Context("weighted") with { Preflight = new Listener<StagePreflight>(p => preflight = p) };
        var result = Pretrain.Run(TinyRuns.Pretraining(_runs.Text) with { Data = [_runs.Text + "@1.5"] }, context);
        Assert.Equal(180, preflight!.Rows.Rows);
        Assert.Equal(180, result.Draft.Lineage.Data[0].Rows);
        Assert.Equal("text.jsonl", result.Draft.Lineage.Data[0].Name);
    }

    [Theory]
    [InlineData("data")]
    [InlineData("micro_batch_tokens")]
    [InlineData("heads")]
    [InlineData("schedule")]
    [InlineData("optimiser")]
    public void BadOptionsAreRefusedBeforeTheFirstStep(string field)
    {
        var good = TinyRuns.Pretraining(_runs.Text);
        var bad = field switch
        {
            "data" => good with { Data = [] },
            "micro_batch_tokens" => good with { MicroBatchTokens = 8 },
            "heads" => good with { Heads = 3 },
            "schedule" => good with { Schedule = "cosinus" },
            _ => good with { Optimiser = "adam" },
        };
        Assert.Equal(field, Assert.Throws<TrainingException>(() => Pretrain.Run(bad, _runs.Context("bad"))).Field);
    }

    [Fact]
    public void MissingAndEmptyFilesAreRefused()
    {
        foreach (var path in new[] { _runs.Write("empty.txt", ""), Path.Combine(Path.GetTempPath(), "attune-no-such-file.txt") })
            Assert.ThrowsAny<AttuneException>(() => Pretrain.Run(TinyRuns.Pretraining(path), _runs.Context("none")));
    }

    public void Dispose() => _runs.Dispose();

    private static int[] Row(int length) => [.. Enumerable.Range(0, length).Select(i => i * 7 % 50)];

    private static DecoderConfig Config() => new() { VocabularySize = 50, HiddenSize = 32, IntermediateSize = 64, Layers = 2, Heads = 2, KeyValueHeads = 1, HeadSize = 16, ContextLength = 64, TiedEmbeddings = true };
}
