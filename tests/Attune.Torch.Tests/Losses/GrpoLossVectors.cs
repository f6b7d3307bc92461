using System.Text.Json;
using Attune.Core.Data;
using Attune.Testing;
using Attune.Torch.Losses;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;
using Attune.Torch.Stages;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Attune.Torch.Tests.Losses;

public sealed class GrpoLossVectors
{
    private static List<(string File, JsonElement Root)> Cases()
    {
        Assert.SkipWhen(SharedData.MaySkip, "no reference data");
        var cases = SharedData.Files("*.json", "vectors", "trl").Select(f => (File: f, Root: JsonDocument.Parse(File.ReadAllText(f)).RootElement))
            .Where(f => f.Root.TryGetProperty("group_rewards", out _)).ToList();
        Assert.NotEmpty(cases);
        return cases;
    }

    [Fact]
    public void EveryFormGivesTheReferenceLossAndGradient()
    {
        foreach (var (file, root) in Cases())
        {
            using var scope = NewDisposeScope();
            using var policy = DecoderFiles.Load(TrlFiles.Policy(file));
            using var optimiser = new Optimiser(OptimiserRules.Plan(policy.Weights(), "adamw", 1, 0), new OptimiserSettings());
            var mask = Rows(root, "completion_mask", v => v.GetInt32() == 1);
            var batch = Batch(root, mask);
            using var tokens = CompletionTokens.Of(batch);
            Tensor Flat(string key) => tensor(Rows(root, key, v => v.GetSingle()).SelectMany((row, r) => row.Where((_, i) => mask[r][i])).ToArray());
            var (old_M, reference_M) = (Flat("old_per_token_logps"), Flat("ref_per_token_logps"));
            var advantages_S = tensor(root.GetProperty("advantages").EnumerateArray().Select(v => v.GetSingle()).ToArray());
            var ran = 0;
            foreach (var c in root.GetProperty("losses").EnumerateArray())
            {
                var objective = new GrpoObjective
                {
                    Form = c.GetProperty("loss_type").GetString()!,
                    SequenceRatio = c.GetProperty("level").GetString() == "sequence",
                    Beta = c.GetProperty("beta").GetDouble(),
                    ClipLow = c.GetProperty("epsilon_low").GetDouble(),
                    ClipHigh = c.GetProperty("epsilon_high").GetDouble(),
                    MaxLength = c.GetProperty("max_completion_length").GetInt32(),
                };
                GrpoLoss.Check(objective);
                var loss = UpdateStep.Gradients([() => GrpoLoss.Of(objective, tokens, tokens.Take(policy.LogProbs(batch)), old_M, reference_M, advantages_S, new UpdateSize(1, batch.Rows, tokens.Count))], null);
                var norm = GradientNorm.Clip(optimiser.Parameters, 0);
                optimiser.ZeroGradients();
                var (expected, expectedNorm) = (c.GetProperty("loss").GetDouble(), c.GetProperty("grad_norm").GetDouble());
                Assert.True(Math.Abs(loss - expected) <= TrainingTolerances.Loss, FormattableString.Invariant($"{Path.GetFileName(file)}, {objective}: {loss} is not {expected}"));
                Assert.True(Math.Abs(norm / expectedNorm - 1) <= TrainingTolerances.GradientNorm, FormattableString.Invariant($"{Path.GetFileName(file)}, {objective}: gradient norm {norm} is not {expectedNorm}"));
                ran++;
            }
            Assert.True(ran > 0, "no case");
        }
    }

    [Fact]
    public void AdvantagesOfGroups()
    {
        foreach (var (file, root) in Cases())
        {
            foreach (var (key, way) in new[] { ("group_advantages", "group"), ("group_advantages_unscaled", "unscaled"), ("rloo_advantages", "rloo") })
            {
                var (rewards, expected) = (Rows(root, "group_rewards", v => v.GetDouble()), Rows(root, key, v => v.GetDouble()));
                for (var g = 0; g < rewards.Length; g++)
                {
                    var advantages = GroupAdvantages.Of(way, rewards[g]);
                    for (var i = 0; i < advantages.Length; i++)
                        Assert.True(Math.Abs(advantages[i] - expected[g][i]) <= TrainingTolerances.Loss, FormattableString.Invariant($"{Path.GetFileName(file)}, {key}[{g}][{i}]: {advantages[i]} is not {expected[g][i]}"));
                }
            }
        }
    }

    private static RaggedBatch Batch(JsonElement root, bool[][] mask)
    {
        var (prompts, promptMask, completions) = (Rows(root, "prompt_ids", v => v.GetInt32()), Rows(root, "prompt_mask", v => v.GetInt32() == 1), Rows(root, "completion_ids", v => v.GetInt32()));
        var ids = prompts.Select((p, r) => (Prompt: p.Where((_, i) => promptMask[r][i]).ToArray(), Completion: completions[r].Where((_, i) => mask[r][i]).ToArray())).ToArray();
        return RaggedBatch.Of([.. ids.Select(r => (int[])[.. r.Prompt, .. r.Completion])], [.. ids.Select(r => (bool[])[.. r.Prompt.Select(_ => false), .. r.Completion.Select(_ => true)])]);
    }

    private static T[][] Rows<T>(JsonElement root, string key, Func<JsonElement, T> read) =>
        [.. root.GetProperty(key).EnumerateArray().Select(row => row.EnumerateArray().Select(read).ToArray())];
}
