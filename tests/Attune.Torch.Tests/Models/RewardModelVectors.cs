using System.Text.Json;
using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Versions;
using Attune.Testing;
using Attune.Torch.Models;
using Attune.Torch.Native;
using Attune.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Tests.Models;

/// <summary>Reward models against TRL's reward trainer: scores of the first batches, and the files that hold one.</summary>
public sealed class RewardModelVectors
{
    public RewardModelVectors() => TorchRuntime.Initialise(2);

    [Fact]
    public void Losses_before_the_first_update_are_those_of_the_reference() => Each((json, weights, reward) =>
    {
        using var scope = NewDisposeScope();
        using var guard = no_grad();
        Fill(reward, weights, "initial.");
        var centre = json.GetProperty("args").GetProperty("center_rewards_coefficient") is { ValueKind: JsonValueKind.Number } given ? given.GetDouble() : 0;
        foreach (var micro in json.GetProperty("micro_batches").EnumerateArray().Take(json.GetProperty("args").GetProperty("gradient_accumulation_steps").GetInt32()))
        {
            using var stream = TokenStream.Of(Rows(micro.GetProperty("inputs")));
            var halves = reward.Scores(stream).to(float64).chunk(2, 0);
            var loss = -nn.functional.logsigmoid(halves[0] - halves[1]).mean() + centre * (halves[0] + halves[1]).square().mean();
            Compare.Absolute(tensor(micro.GetProperty("loss").GetDouble()), loss, Tolerances.Loss, "loss");
        }
    });

    [Fact]
    public void What_is_saved_has_the_names_of_the_reference_and_loads_again() => Each((_, weights, reward) =>
    {
        Fill(reward, weights, "final.");
        var folder = Directory.CreateTempSubdirectory("attune-reward").FullName;
        try
        {
            reward.SaveFolder(folder);
            using (var saved = SafetensorsFile.Open(Path.Combine(folder, ModelFiles.Weights)))
            {
                const string prefix = "final.";
                var expected = weights.Tensors.Where(t => t.Name.StartsWith(prefix, StringComparison.Ordinal)).Select(t => (t.Name[prefix.Length..], t.ShapeText, t.Type));
                Assert.Equal(expected.Order(), saved.Tensors.Select(t => (t.Name, t.ShapeText, t.Type)).Order());
            }
            using var again = DecoderFiles.LoadReward(ModelFiles.OfFolder(folder));
            var state = reward.state_dict();
            Assert.All(again.state_dict(), p => Assert.True(p.Value.equal(state[p.Key]).all().item<bool>(), p.Key));
            Assert.Equal(reward.Config with { EosTokenIds = [] }, again.Config with { EosTokenIds = [] });
            Assert.Equal("LlamaForSequenceClassification", HuggingFaceJson.Read(Path.Combine(folder, ModelFiles.Config))["architectures"]![0]!.GetValue<string>());
            Assert.Throws<UnsupportedCheckpointException>(() => DecoderFiles.Load(ModelFiles.OfFolder(folder)));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    });

    [Fact]
    public void A_language_model_is_no_reward_model() => Each((_, _, reward) =>
        Assert.Throws<UnsupportedCheckpointException>(() => DecoderFiles.LoadReward(TrlFiles.Policy(SharedData.Files("*.json", "vectors", "trl")[0]))));

    private static void Each(Action<JsonElement, SafetensorsFile, RewardModel> check)
    {
        Assert.SkipWhen(SharedData.MaySkip, "no reference data");
        var found = 0;
        foreach (var path in SharedData.Files("*.final.safetensors", "vectors", "trl"))
        {
            using var weights = SafetensorsFile.Open(path);
            if (weights.Find("initial.score.weight") is null)
                continue;
            found++;
            using var json = JsonDocument.Parse(File.ReadAllText(path.Replace(".final.safetensors", ".json", StringComparison.Ordinal)));
            using var reward = DecoderFiles.NewReward(TrlFiles.Policy(path), seed: 1);
            check(json.RootElement, weights, reward);
        }
        Assert.True(found > 0, "no reward model under vectors/trl");
    }

    private static void Fill(RewardModel reward, SafetensorsFile weights, string prefix)
    {
        using var guard = no_grad();
        foreach (var (name, parameter) in reward.named_parameters())
            weights.ReadFloats(prefix + name, ((Tensor)parameter).Floats());
    }

    private static RaggedBatch Rows(JsonElement inputs)
    {
        var (ids, mask) = (Matrix(inputs, "input_ids"), Matrix(inputs, "attention_mask"));
        return RaggedBatch.Of([.. ids.Select((row, r) => row.Where((_, i) => mask[r][i] == 1).ToArray())]);
    }

    private static int[][] Matrix(JsonElement inputs, string name) =>
        [.. inputs.GetProperty(name).EnumerateArray().Select(row => row.EnumerateArray().Select(e => e.GetInt32()).ToArray())];
}
