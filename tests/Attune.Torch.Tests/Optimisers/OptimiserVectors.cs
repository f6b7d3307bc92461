using System.Text.Json;
using Attune.Core.Checkpoints;
using Attune.Testing;
using Attune.Torch.Optimisers;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Attune.Torch.Tests.Optimisers;

public sealed class OptimiserVectors
{
    [Fact]
    public void FollowTheReferenceStepByStep()
    {
        Assert.SkipWhen(SharedData.MaySkip, "no reference data");
        var files = SharedData.Files("optim*.json", "vectors", "parts");
        Assert.NotEmpty(files);
        var (ran, worst) = (0, new Dictionary<string, double>(StringComparer.Ordinal));
        foreach (var file in files)
        {
            using var tensors = SafetensorsFile.Open(Path.ChangeExtension(file, ".safetensors"));
            foreach (var c in JsonDocument.Parse(File.ReadAllText(file)).RootElement.EnumerateObject())
            {
                // What tells the kinds apart is what their settings hold, not what they are called.
                var settings = c.Value;
                double Of(string key) => settings.GetProperty(key).GetDouble();
                var isMuon = settings.TryGetProperty("ns_steps", out _);
                var isAdamW = !isMuon && settings.TryGetProperty("decoupled_weight_decay", out var decoupled) && decoupled.GetBoolean();
                if (!isMuon && !isAdamW)
                {
                    var kind = settings.TryGetProperty("beta2_decay", out _) ? "adafactor" : "sgd";
                    Assert.Equal("ATT5101", Assert.Throws<TrainingException>(() => OptimiserRules.Check(kind)).Code);
                    continue;
                }
                var constants = isMuon
                    ? new OptimiserSettings { Momentum = Of("momentum"), Scale = settings.GetProperty("adjust_lr_fn").ValueKind == JsonValueKind.Null ? MuonScale.Original : MuonScale.MatchRms }
                    : new OptimiserSettings { Beta1 = settings.GetProperty("betas")[0].GetDouble(), Beta2 = settings.GetProperty("betas")[1].GetDouble(), Epsilon = Of("eps") };
                var tolerance = isMuon ? TrainingTolerances.Muon : TrainingTolerances.AdamW;
                worst[c.Name] = Follow(tensors, c.Name, constants, isMuon ? UpdateRule.Muon : UpdateRule.AdamW, Of("lr"), Of("weight_decay"));
                Assert.True(worst[c.Name] <= tolerance, $"{c.Name}: {worst[c.Name]}");
                ran++;
            }
        }
        Assert.True(ran > 0, "no case of a kind that is built");
        TestContext.Current.SendDiagnosticMessage(string.Join(", ", worst.Select(w => FormattableString.Invariant($"{w.Key} {w.Value:e1}"))));
    }

    private static double Follow(SafetensorsFile tensors, string name, OptimiserSettings constants, UpdateRule rule, double rate, double decay)
    {
        using var scope = NewDisposeScope();
        Tensor Read(string key)
        {
            var values = new float[tensors[key].Count];
            tensors.ReadFloats(key, values);
            return tensor(values, [.. tensors[key].Shape]);
        }
        var weight = Read($"{name}.0").requires_grad_();
        using var optimiser = new Optimiser([new Trainable("w", weight, rule, 1, decay)], constants);
        var worst = 0.0;
        for (var step = 1; tensors.Find($"{name}.{step}") is not null; step++)
        {
            weight.grad = Read($"{name}.grad{step}");
            optimiser.Step(step, rate);
            worst = Math.Max(worst, (weight.detach() - Read($"{name}.{step}")).abs().max().item<float>());
        }
        return worst;
    }
}
