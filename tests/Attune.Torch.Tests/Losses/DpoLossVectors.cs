using System.Text.Json;
using Attune.Testing;
using Attune.Torch.Losses;
using Attune.Torch.Optimisers;
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
