using Attune.Core.Checkpoints;
using Attune.Torch.Models;
using Attune.Torch.Native;
using Attune.Torch.Optimisers;
using Attune.Torch.Stages;
using Attune.Torch.Tests.Models;
using Xunit;

namespace Attune.Torch.Tests.Stages;

/// <summary>What is told from config.json alone is what a run has.</summary>
public sealed class MemoryPlanTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-plan-").FullName;

    public MemoryPlanTests() => TorchRuntime.Initialise(2);

    [Theory]
    [InlineData(true, 0, false, BaseWeights.F32, "adamw")]
    [InlineData(false, 0, false, BaseWeights.F32, "muon")]
    [InlineData(false, 4, false, BaseWeights.F32, "muon")]
    [InlineData(true, 4, true, BaseWeights.Bf16, "muon")]
    [InlineData(false, 4, true, BaseWeights.Int8, "adamw")]
    [InlineData(false, 4, false, BaseWeights.Int4, "adamw")]
    public void Numbers_trained_state_and_weights_are_those_of_the_run(bool tied, int rank, bool dora, BaseWeights weights, string optimiser)
    {
        using (var made = new Decoder(DecoderTests.Small(tied)))
        {
            made.Initialise(1);
            made.SaveFolder(_folder);
        }
        var options = SftOptions.Tiny() with
        {
            Optimiser = optimiser, BaseWeights = weights,
            Lora = new() { Rank = rank, Dora = dora, RankPattern = ["k_proj=2"], ModulesToSave = tied ? [] : ["lm_head"] },
        };
        using var decoder = Tuning.Load(Core.Versions.ModelFiles.OfFolder(_folder), options, "sft");
        using var state = new Optimiser(OptimiserRules.Plan(decoder.Trained(), optimiser, 1, 0), new());
        var plan = MemoryPlan.Of(decoder.Config, options, 100);

        Assert.Equal(decoder.Trained().Sum(p => p.Value.numel()), plan.Trained);
        Assert.Equal(state.StateBytes, plan.OptimiserBytes);
        var held = Lora.Modules(decoder).Select(m => m.Layer.Held).OfType<HeldMatrix>().Sum(h => h.Bytes);
        Assert.Equal(held + 4 * decoder.Weights().Sum(w => w.Value.numel()) + (rank == 0 ? 0 : 4 * decoder.Trained().Sum(p => p.Value.numel())), plan.WeightBytes);
        Assert.Equal(weights == BaseWeights.F32, plan.Fused);
    }

    [Fact]
    public void Every_option_that_saves_memory_is_told_to()
    {
        var config = new DecoderConfig { VocabularySize = 128_256, HiddenSize = 4096, IntermediateSize = 14_336, Layers = 32, Heads = 32, KeyValueHeads = 8, HeadSize = 128, ContextLength = 8192 };
        var plan = new MemoryPlan { Config = config, Tokens = 2048 };
        var lora = plan with { Adapters = new LoraOptions { Rank = 16 }.ToConfig(null, tied: false) };
        MemoryPlan[] less = [plan, lora, lora with { BaseWeights = BaseWeights.Bf16 }, lora with { BaseWeights = BaseWeights.Int8 }, lora with { BaseWeights = BaseWeights.Int4 }, lora with { BaseWeights = BaseWeights.Int4, Recompute = true }];
        var totals = less.Select(p => CostEstimate.Of(p).TotalBytes).ToArray();
        Assert.Equal(totals.OrderDescending(), totals);
        Assert.InRange(totals[0], 16 * config.Parameters, 24 * config.Parameters);
        Assert.InRange(totals[^1], config.Parameters / 2, 2 * config.Parameters);
    }

    [Fact]
    public void Fewer_bits_without_adapters_are_refused()
    {
        var error = Assert.Throws<TrainingException>(() => Tuning.Load(Core.Versions.ModelFiles.OfFolder(_folder), SftOptions.Tiny() with { BaseWeights = BaseWeights.Int8 }, "sft"));
        Assert.Equal(("ATT5134", "base_weights"), (error.Code, error.Field));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
