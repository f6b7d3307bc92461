using Attune.Core.Data;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Prompts;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;
using Attune.Torch.Stages;
using Xunit;

namespace Attune.Torch.Tests.Stages;

/// <summary>
/// Failures that users of other tools reported, each as what must not happen here. By their numbers in the list, with what
/// is guarded where its subject is:
/// 1 merged boundaries (TrainingRowsTests, ContractRenderTests); 2 masks that do not fit (TrainingRowsTests); 3 ends never
/// trained (here, TrainingRowsTests); 4 no signal (here, TrainingRowsTests); 5 longer than the window (here, TrainingRowsTests);
/// 6 resuming (ResumeTests, KillTests); 7 accumulation (StageTests); 8 another template (here, TrainingRowsTests,
/// ContractStageTests, ContractUseTests; EvalCommandTests: told with every score); 9 temperature, 10 batches, 11 padding of
/// the reference, 12 padding in figures (PpoTests); 13 roles (here, TrainingRowsTests); 14 cut answers (PpoTests,
/// TrainingRowsTests); 15 ends that adapters do not train (here, StageTests); 16 merging into few bits (HeldWeightsTests);
/// 17 the chosen reward falls (here); 18 memory told before (here, MemoryPlanTests); 19 half-written checkpoints
/// (ResumeTests, StoreCrashTests); 20 exports without template and stops (StageTests, ImportExportTests).
/// </summary>
public sealed class ReportedFailureTests : IDisposable
{
    private readonly TinyRuns _runs = new();

    // trl#1623, trl#6357, axolotl#3754: the end was never appended, or masked as padding, and the model never stopped.
    [Fact]
    public void EveryTurnTrainsItsEndInEveryStage()
    {
        var parent = _runs.Base();
        foreach (var (name, run) in Stages())
        {
            StagePreflight? seen = null;
            run(_runs.Context("ends-" + name, parent) with { Preflight = new Listener<StagePreflight>(p => seen = p) });
            Assert.True(seen!.Rows.Turns > 0 && seen.Rows.EndedTurns == seen.Rows.Turns, $"{name}: {seen.Rows.EndedTurns} of {seen.Rows.Turns}");
        }
    }

    // trl#3927, trl#6668: truncation hid every label, the loss was 0.0, and the run was a success.
    [Fact]
    public void ARunWithoutSignalIsRefusedAndPartsOfOneAreCounted()
    {
        var parent = _runs.Base();
        var error = Assert.ThrowsAny<AttuneException>(() => Sft.Run(TinyRuns.Tuning(_runs.Talks) with { SequenceLength = 8, MicroBatchTokens = 64, Overlong = OverlongRows.Truncate }, _runs.Context("silent", parent)));
        Assert.Equal("ATT3030", error.Code);
        var pairs = TinyRuns.Preferring(_runs.Pairs) with { SequenceLength = 8, Overlong = OverlongRows.Truncate };
        Assert.Equal("ATT3030", Assert.ThrowsAny<AttuneException>(() => Dpo.Run(pairs, _runs.Context("silent-pairs", parent))).Code);

        var talks = _runs.Write("one.jsonl", File.ReadAllText(_runs.Talks) + Long());
        StagePreflight? seen = null;
        Sft.Run(TinyRuns.Tuning(talks) with { Steps = 1, Overlong = OverlongRows.Truncate }, _runs.Context("one", parent) with { Preflight = new Listener<StagePreflight>(p => seen = p) });
        Assert.Equal((120, 1), (seen!.Rows.Rows, seen.Rows.Tally.Masked.Values.Sum()));
    }

    // nanochat#590: a conversation longer than the window clogged the packer; batches of padding followed, then NaN.
    [Fact]
    public void AConversationLongerThanTheWindowIsCountedAndTheRestIsTrained()
    {
        var talks = _runs.Write("long.jsonl", File.ReadAllText(_runs.Talks) + Long());
        StagePreflight? seen = null;
        var losses = new List<double>();
        Sft.Run(TinyRuns.Tuning(talks) with { Overlong = OverlongRows.Drop }, _runs.Context("long", _runs.Base(), p => losses.Add(p.Loss)) with { Preflight = new Listener<StagePreflight>(p => seen = p) });
        Assert.Equal((120, 1), (seen!.Rows.Rows, seen.Rows.Tally.DroppedRows));
        Assert.All(losses, l => Assert.True(double.IsFinite(l) && l > 0));
    }

    // LlamaFactory#2509, open-instruct#259: another template than in training halves the score, and nobody is told.
    [Fact]
    public void ARewardModelOfAnotherContractIsRefused()
    {
        var parent = _runs.Base();
        var reward = Reward.Run(TinyRuns.Scoring(_runs.Pairs) with { Contract = "alpaca" }, _runs.Context("other-contract", parent));
        var error = Assert.Throws<TrainingException>(() => Ppo.Run(TinyRuns.Reinforcing(_runs.Talks), _runs.Context("refused", parent) with { RewardModel = reward.Draft.Files }));
        Assert.Equal(("ATT5202", ModelFiles.PromptContract), (error.Code, error.Field));
    }

    // LlamaFactory#8197, #9618: rows with a wrong role were skipped one by one, until none was left.
    [Fact]
    public void AWrongRoleIsAnErrorWithItsPlace()
    {
        var talks = _runs.Write("roles.jsonl", File.ReadAllText(_runs.Talks) + """{"messages": [{"role": "usr", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}""" + "\n");
        var error = Assert.ThrowsAny<AttuneException>(() => Sft.Run(TinyRuns.Tuning(talks), _runs.Context("roles", _runs.Base())));
        Assert.Equal((talks, 121), (error.File, error.Line));
    }

    // Qwen3#1064: adapters on a base that never learnt its end of turn; the model never stopped.
    [Fact]
    public void AnEndThatAdaptersDoNotTrainIsTold()
    {
        var parent = _runs.Base();
        var end = Tokenizer.Load(parent.Draft.Files.Require(ModelFiles.Tokenizer)).AddedTokens["<|im_end|>"];
        foreach (var whole in new[] { false, true })
        {
            StagePreflight? seen = null;
            var options = TinyRuns.Tuning(_runs.Talks) with { Lora = new() { Rank = 2, ModulesToSave = whole ? ["embed_tokens"] : [] } };
            var child = Sft.Run(options, _runs.Context($"end-{whole}", parent) with { Preflight = new Listener<StagePreflight>(p => seen = p) });
            Assert.Equal(!whole, seen!.Warnings.Any(w => w.Contains("--lora-modules-to-save", StringComparison.Ordinal)));
            using var before = DecoderFiles.Load(parent.Draft.Files);
            using var after = DecoderFiles.Load(child.Draft.Files);
            Assert.Equal(!whole, before.Body.Embedding.Weight[end].allclose(after.Body.Embedding.Weight[end]));
        }
    }

    // trl#800: the chosen answers' reward falls, which DPO does not prevent; it is said before the run, with the way out.
    [Fact]
    public void ThatTheChosenRewardMayFallIsSaid()
    {
        StagePreflight? seen = null;
        Dpo.Run(TinyRuns.Preferring(_runs.Pairs), _runs.Context("falls", _runs.Base()) with { Preflight = new Listener<StagePreflight>(p => seen = p) });
        Assert.Contains(seen!.Warnings, w => w.Contains("--sft-weight", StringComparison.Ordinal));
    }

    // trl#3168: out of memory after minutes; an estimate before launch was what most people asked for.
    [Fact]
    public void MemoryIsEstimatedBeforeTheFirstStep()
    {
        var parent = _runs.Base();
        foreach (var (name, run) in Stages())
        {
            StagePreflight? seen = null;
            run(_runs.Context("memory-" + name, parent) with { Preflight = new Listener<StagePreflight>(p => seen = p) });
            Assert.True(seen!.Estimate.WeightBytes >= sizeof(float) * parent.Facts.Parameters && seen.Estimate.TotalBytes > seen.Estimate.WeightBytes, name);
        }
        // Reference, value model, and the engine that draws the answers: each as large as the policy.
        foreach (var (name, run, beside) in ((string, Action<StageContext>, int)[])
        [
            ("ppo", c => Ppo.Run(TinyRuns.Reinforcing(_runs.Talks) with { Steps = 1, Truth = [] }, c), 3),
            ("grpo", c => Grpo.Run(TinyRuns.Grouping(_runs.Talks) with { Steps = 1 }, c), 1),
            ("rloo", c => Grpo.Run(TinyRuns.LeavingOut(_runs.Talks) with { Steps = 1 }, c), 2),
        ])
        {
            StagePreflight? seen = null;
            run(_runs.Context("memory-" + name, parent) with { Preflight = new Listener<StagePreflight>(p => seen = p) });
            Assert.True(seen!.Estimate.BesideBytes >= beside * sizeof(float) * parent.Facts.Parameters, $"{name}: {seen.Estimate.BesideBytes}");
        }
    }

    public void Dispose() => _runs.Dispose();

    private static string Long() => $$"""{"messages": [{"role": "user", "content": "{{new string('x', 5000)}}"}, {"role": "assistant", "content": "yes"}]}""" + "\n";

    private IEnumerable<(string Name, Action<StageContext> Run)> Stages()
    {
        yield return ("sft", c => Sft.Run(TinyRuns.Tuning(_runs.Talks) with { Steps = 1 }, c));
        yield return ("dpo", c => Dpo.Run(TinyRuns.Preferring(_runs.Pairs) with { Steps = 1 }, c));
        yield return ("reward", c => Reward.Run(TinyRuns.Scoring(_runs.Pairs) with { Steps = 1 }, c));
        yield return ("kto", c => Kto.Run(TinyRuns.Labelling(_runs.Labels) with { Steps = 1 }, c));
        yield return ("orpo", c => Orpo.Run(TinyRuns.Odds(_runs.Pairs) with { Steps = 1 }, c));
        yield return ("simpo", c => Simpo.Run(TinyRuns.Simple(_runs.Pairs) with { Steps = 1 }, c));
    }
}
