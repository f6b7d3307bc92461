using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Torch.Stages;
using Xunit;

namespace Attune.App.Tests;

/// <summary>What a stage would take, told from config.json alone.</summary>
public sealed class EstimateTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-estimate-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    // Llama 3.1 8B's shape.
    private static DecoderConfig Eight { get; } = new()
    {
        VocabularySize = 128_256, HiddenSize = 4096, IntermediateSize = 14_336, Layers = 32, Heads = 32, KeyValueHeads = 8, HeadSize = 128, ContextLength = 131_072, EosTokenIds = [128_001],
    };

    [Fact]
    public void Each_stage_holds_what_it_needs_beside_the_model()
    {
        var plan = new MemoryPlan { Config = Eight, Tokens = 512 };
        var weights = 4.0 * Eight.Parameters;
        CostEstimate Of(string stage) => CostEstimate.Of(plan, StageModels.Of(stage, adapters: false, tokens: 512));
        Assert.Equal(0, Of("sft").BesideBytes);
        Assert.Equal(0, Of("dpo").BesideBytes);
        // Reference, reward and value models, and the engine's weights.
        Assert.InRange(Of("ppo").BesideBytes / weights, 4, 5);
        Assert.InRange(Of("rloo").BesideBytes / weights, 2, 3);
        Assert.Equal(2 * Of("sft").OptimiserBytes, Of("ppo").OptimiserBytes);
        // Adapters switched off are the reference.
        Assert.Equal(1, StageModels.Of("ppo", adapters: true, 512).Frozen);
    }

    [Fact]
    public async Task The_command_says_what_would_make_an_8_B_model_fit()
    {
        var path = Path.Combine(_folder, "config.json");
        HuggingFaceConfig.Write(path, Eight);
        foreach (var (stage, answered) in new[] { ("sft", false), ("ppo", true) })
        {
            var json = JsonNode.Parse((await AttuneCommand.RunAsync(_folder, "estimate", path, "--stage", stage, "--memory-gb", "24", "--ceiling-gflops", "250", "--json")).Out)!;
            Assert.False((bool)json["estimate"]!["fits"]!);
            Assert.Equal(answered, (long)json["estimate"]!["beside_bytes"]! > 0);
            var ways = json["ways_to_fit"]!.AsArray();
            Assert.NotEmpty(ways);
            if (stage == "sft")
                Assert.True((bool)ways[^1]!["estimate"]!["fits"]!, ways[^1]!.ToJsonString());
        }
    }
}
