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

public sealed class DpoLossVectors
{
    [Fact]
    public void EveryFormGivesTheReferenceLoss()
    {
        Assert.SkipWhen(SharedData.MaySkip, "no reference data");
        var files = SharedData.Files("*.json", "vectors", "trl").Select(f => (File: f, Root: JsonDocument.Parse(File.ReadAllText(f)).RootElement))
            .Where(f => f.Root.TryGetProperty("losses", out _) && f.Root.TryGetProperty("chosen_len", out _)).ToArray();
        Assert.NotEmpty(files);
        foreach (var (file, root) in files)
        {
            using var scope = NewDisposeScope();
            Tensor Numbers(JsonElement e) => tensor(e.EnumerateArray().Select(v => v.GetDouble()).ToArray());
            var (policy, reference) = (root.GetProperty("policy"), root.GetProperty("reference"));
            var pairs = new PairLogProbs
            {
                Chosen = Numbers(policy.GetProperty("chosen")),
                Rejected = Numbers(policy.GetProperty("rejected")),
                ReferenceChosen = Numbers(reference.GetProperty("chosen")),
                ReferenceRejected = Numbers(reference.GetProperty("rejected")),
                ChosenTokens = Numbers(root.GetProperty("chosen_len")),
                RejectedTokens = Numbers(root.GetProperty("rejected_len")),
            };
            var ran = 0;
            foreach (var c in root.GetProperty("losses").EnumerateArray())
            {
                var (form, beta, smoothing) = (c.GetProperty("loss_type").GetString()!, c.GetProperty("beta").GetDouble(), c.GetProperty("label_smoothing").GetDouble());
                if (!DpoLoss.Names.Contains(form))
                {
                    Assert.Equal("ATT5101", Assert.Throws<TrainingException>(() => DpoLoss.Of(form, pairs, beta, smoothing)).Code);
                    continue;
                }
                var loss = DpoLoss.Of(form, pairs, beta, smoothing).item<double>();
                var expected = c.GetProperty("loss").GetDouble();
                Assert.True(Math.Abs(loss - expected) <= TrainingTolerances.Loss * Math.Max(1, Math.Abs(expected)),
                    FormattableString.Invariant($"{Path.GetFileName(file)}, {form}, β {beta}: {loss} is not {expected}"));
                ran++;
            }
            Assert.True(ran > 0, "no form that is built");
        }
    }

    [Fact]
    public void EveryFormGivesTheReferenceGradient()
    {
        Assert.SkipWhen(SharedData.MaySkip, "no reference data");
        var files = SharedData.Files("*.json", "vectors", "trl").Select(f => (File: f, Root: JsonDocument.Parse(File.ReadAllText(f)).RootElement))
            .Where(f => f.Root.TryGetProperty("losses", out _) && f.Root.TryGetProperty("pairs", out _)).ToArray();
        Assert.NotEmpty(files);
        foreach (var (file, root) in files)
        {
            using var scope = NewDisposeScope();
            using var policy = DecoderFiles.Load(TrlFiles.Policy(file));
            using var optimiser = new Optimiser(OptimiserRules.Plan(policy.Weights(), "adamw", 1, 0), new OptimiserSettings());
            static int[] Ints(JsonElement e) => [.. e.EnumerateArray().Select(v => v.GetInt32())];
            float[] Floats(string side) => [.. root.GetProperty("reference").GetProperty(side).EnumerateArray().Select(v => v.GetSingle())];
            var pairs = root.GetProperty("pairs").EnumerateArray().ToArray();
            (int[] Ids, bool[] Trained) Row(JsonElement pair, string side)
            {
                var (prompt, answer) = (Ints(pair.GetProperty("prompt_ids")), Ints(pair.GetProperty(side)));
                return ([.. prompt, .. answer], [.. prompt.Select(_ => false), .. answer.Select(_ => true)]);
            }
            var rows = new[] { "chosen_ids", "rejected_ids" }.SelectMany(side => pairs.Select(p => Row(p, side))).ToArray();
            var batch = new PairBatch(RaggedBatch.Of([.. rows.Select(r => r.Ids)], [.. rows.Select(r => r.Trained)]), [.. Floats("chosen"), .. Floats("rejected")]);
            foreach (var c in root.GetProperty("losses").EnumerateArray().Where(c => DpoLoss.Names.Contains(c.GetProperty("loss_type").GetString()!)))
            {
                var objective = new DpoObjective(c.GetProperty("loss_type").GetString()!, c.GetProperty("beta").GetDouble(), c.GetProperty("label_smoothing").GetDouble());
                UpdateStep.Gradients([() => DpoStep.Loss(policy, objective, batch, new PairMeters())]);
                var (norm, expected) = (GradientNorm.Clip(optimiser.Parameters, 0), c.GetProperty("grad_norm").GetDouble());
                optimiser.ZeroGradients();
                Assert.True(Math.Abs(norm / expected - 1) <= TrainingTolerances.GradientNorm, FormattableString.Invariant($"{objective}: gradient norm {norm} is not {expected}"));
            }
        }
    }

    [Fact]
    public void CdpoIsSigmoidWithoutSmoothingAndTheMixtureWithIt()
    {
        using var scope = NewDisposeScope();
        var pairs = new PairLogProbs
        {
            Chosen = tensor(-10.0).reshape(1), Rejected = tensor(-12.0).reshape(1),
            ReferenceChosen = tensor(-11.0).reshape(1), ReferenceRejected = tensor(-11.5).reshape(1),
            ChosenTokens = tensor(4.0).reshape(1), RejectedTokens = tensor(5.0).reshape(1),
        };
        double Loss(string form, double smoothing) => DpoLoss.Of(form, pairs, 0.5, smoothing).item<double>();
        Assert.Equal(Loss("sigmoid", 0), Loss("cdpo", 0), 12);
        var margin = 0.5 * 1.5;
        var expected = 0.8 * Math.Log(1 + Math.Exp(-margin)) + 0.2 * Math.Log(1 + Math.Exp(margin));
        Assert.Equal(expected, Loss("cdpo", 0.2), 12);
    }

    [Theory]
    [InlineData("sigmoid", 0.1, 0.1, "label_smoothing")] // TRL would ignore it without a word
    [InlineData("cdpo", 0.1, 0.5, "label_smoothing")]
    [InlineData("exo_pair", 0.1, 0, "label_smoothing")]
    [InlineData("ipo", 0, 0, "beta")]
    public void ImpossibleSettingsAreRefused(string form, double beta, double smoothing, string field)
    {
        var error = Assert.Throws<TrainingException>(() => DpoLoss.Check(form, beta, smoothing));
        Assert.Equal(("ATT5103", field), (error.Code, error.Field));
    }
}
