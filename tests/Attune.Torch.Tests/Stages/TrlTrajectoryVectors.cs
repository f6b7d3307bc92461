using System.Text.Json;
using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Adapters;
using Attune.Core.Data;
using Attune.Core.Randomness;
using Attune.Core.Versions;
using Attune.Testing;
using Attune.Torch.Losses;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;
using Attune.Torch.Stages;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Attune.Torch.Tests.Stages;

/// <summary>Follows TRL's optimiser steps from what its files hold, with the very step functions that the stages call.</summary>
public sealed class TrlTrajectoryVectors
{
    public static TheoryData<string> Trajectories()
    {
        var names = new TheoryData<string>();
        foreach (var file in SharedData.Files("*.json", "vectors", "trl"))
        {
            using var json = JsonDocument.Parse(File.ReadAllText(file));
            if (json.RootElement.TryGetProperty("micro_batches", out _) && json.RootElement.TryGetProperty("args", out _))
                names.Add(Path.GetRelativePath(SharedData.Root!, file));
        }
        if (names.Count == 0)
            names.Add("none");
        return names;
    }

    [Theory]
    [MemberData(nameof(Trajectories))]
    public void AreFollowedStepByStep(string name)
    {
        Assert.SkipWhen(SharedData.MaySkip, "no reference data");
        var file = SharedData.PathOf(name);
        Assert.True(File.Exists(file), "no trajectory under vectors/trl");
        var root = JsonDocument.Parse(File.ReadAllText(file)).RootElement;
        var (args, first) = (root.GetProperty("args"), Inputs(root.GetProperty("micro_batches")[0]));
        if (Method(root, first) is var method && !StageNames.All.Contains(method))
        {
            Assert.Equal("ATT5101", Assert.Throws<TrainingException>(() => StageNames.Check(method)).Code);
            return;
        }
        root.TryGetProperty("lora", out var adapter);
        if (method == "reward")
            FollowReward(root, args, Path.ChangeExtension(file, null));
        else
            Follow(root, args, method, Path.ChangeExtension(file, null), adapter);
    }

    private static void FollowReward(JsonElement root, JsonElement args, string stem)
    {
        using var scope = NewDisposeScope();
        using var model = DecoderFiles.NewReward(TrlFiles.Policy(stem), seed: 1);
        using (var initial = SafetensorsFile.Open(Initial(stem)))
        {
            foreach (var (name, value) in model.Weights())
                initial.ReadFloats("initial." + name, value.Floats());
        }
        using var optimiser = new Optimiser(OptimiserRules.Plan(model.Weights(), "adamw", 1, args.GetProperty("weight_decay").GetDouble()), Settings(args));
        var objective = new RewardObjective(args.GetProperty("center_rewards_coefficient") is { ValueKind: JsonValueKind.Number } given ? given.GetDouble() : 0);
        Walk(root, args, stem, (settings, inputs, figures) =>
        {
            var meters = new RewardMeters();
            var result = RewardStep.Run(model, optimiser, settings, objective, [.. inputs.Select(Rankings)], meters);
            figures.AddRange(meters.Figures);
            return result;
        }, () => Compare(stem, model.Weights(), adapter: false));
    }

    // The reward's head is new: one file of a kind holds the values that all of them start from.
    private static string Initial(string stem) => SharedData.Files("*.final.safetensors", "vectors", "trl")
        .OrderBy(f => f == stem + ".final.safetensors" ? 0 : 1)
        .First(f =>
        {
            using var file = SafetensorsFile.Open(f);
            return file.Tensors.Any(t => t.Name == "initial.score.weight");
        });

    // The chosen rows come first, then the rejected ones: pairs as rankings of two.
    private static RewardBatch Rankings(JsonElement inputs)
    {
        var (ids, _) = Rows(inputs, inputs.GetProperty("input_ids").EnumerateArray(), "");
        var pairs = ids.Length / 2;
        return new RewardBatch(RaggedBatch.Of([.. Enumerable.Range(0, pairs).SelectMany(p => new[] { ids[p], ids[pairs + p] })]), [.. Enumerable.Range(0, pairs + 1).Select(p => 2 * p)]);
    }

    private static void Follow(JsonElement root, JsonElement args, string method, string stem, JsonElement adapter)
    {
        using var scope = NewDisposeScope();
        using var decoder = DecoderFiles.Load(TrlFiles.Policy(stem));
        if (adapter.ValueKind == JsonValueKind.Object)
            Attach(decoder, adapter, stem);
        var trained = OptimiserRules.Plan(decoder.Trained(), "adamw", 1, args.GetProperty("weight_decay").GetDouble());
        using var optimiser = new Optimiser(trained, Settings(args));
        using var reference = method is "dpo" or "kto" ? DecoderFiles.Load(TrlFiles.Policy(stem)) : null;
        if (reference is not null)
            Copy(Path.Combine(Path.GetDirectoryName(stem)!, "reference.safetensors"), reference.Weights());
        Walk(root, args, stem, (settings, inputs, figures) =>
        {
            var (pairs, labels) = (new PairMeters(), new KtoMeters());
            var result = method switch
            {
                "sft" => SftStep.Run(decoder, optimiser, settings, [.. inputs.Select(m => Batch(m, Labelled(m)))]),
                "kto" => KtoStep.Run(decoder, optimiser, settings, new KtoObjective(args.GetProperty("beta").GetDouble(), args.GetProperty("desirable_weight").GetDouble(), args.GetProperty("undesirable_weight").GetDouble()), [.. inputs.Select(m => Answers(m, reference!))], labels),
                "orpo" => OrpoStep.Run(decoder, optimiser, settings, args.GetProperty("beta").GetDouble(), [.. inputs.Select(Sides).Select(rows => OrpoBatch.Of(rows, rows.Rows / 2))], pairs),
                "simpo" => SimpoStep.Run(decoder, optimiser, settings, new SimpoObjective(args.GetProperty("beta").GetDouble(), args.GetProperty("simpo_gamma").GetDouble(), args.GetProperty("cpo_alpha").GetDouble()), [.. inputs.Select(Sides)], pairs),
                _ => DpoStep.Run(decoder, optimiser, settings, Objective(args), [.. inputs.Select(m => Pairs(m, reference!))], pairs),
            };
            figures.AddRange(pairs.Figures.Concat(labels.Figures));
            return result;
        }, () => Compare(stem, decoder.Trained(), decoder.Lora is not null));
    }

    private static OptimiserSettings Settings(JsonElement args) => new()
    {
        Beta1 = args.GetProperty("adam_beta1").GetDouble(),
        Beta2 = args.GetProperty("adam_beta2").GetDouble(),
        Epsilon = args.GetProperty("adam_epsilon").GetDouble(),
    };

    private static void Walk(JsonElement root, JsonElement args, string stem, Func<UpdateSettings, JsonElement[], List<KeyValuePair<string, double>>, UpdateResult> take, Func<double> compareWeights)
    {
        var (rate, clip, accumulation) = (args.GetProperty("learning_rate").GetDouble(), args.GetProperty("max_grad_norm").GetDouble(), args.GetProperty("gradient_accumulation_steps").GetInt32());
        var micro = root.GetProperty("micro_batches").EnumerateArray().Chunk(accumulation).ToArray();
        var log = root.GetProperty("log").EnumerateArray().ToArray();
        var (worstLoss, worstNorm) = (0.0, 0.0);
        for (var step = 0; step < micro.Length; step++)
        {
            var figures = new List<KeyValuePair<string, double>>();
            var result = take(new UpdateSettings(step + 1, rate, clip), [.. micro[step].Select(Inputs)], figures);
            worstLoss = Math.Max(worstLoss, Math.Abs(result.Loss - log[step].GetProperty("loss").GetDouble()) / Math.Max(1, Math.Abs(result.Loss)));
            worstNorm = Math.Max(worstNorm, Math.Abs(result.GradientNorm / log[step].GetProperty("grad_norm").GetDouble() - 1));
            foreach (var (figure, value) in figures.Where(f => log[step].TryGetProperty(f.Key, out _)))
                Assert.True(Math.Abs(log[step].GetProperty(figure).GetDouble() - value) <= Math.Abs(value) * 1e-4 + 1e-4, FormattableString.Invariant($"step {step}, {figure}: {value} is not {log[step].GetProperty(figure).GetDouble()}"));
        }
        var worstWeight = compareWeights();
        TestContext.Current.SendDiagnosticMessage(FormattableString.Invariant($"{Path.GetFileName(stem)}: loss {worstLoss:e1}, gradient norm {worstNorm:e1}, weights {worstWeight:e1}"));
        Assert.True(worstLoss <= TrainingTolerances.Loss, FormattableString.Invariant($"loss differs by {worstLoss}"));
        Assert.True(worstNorm <= TrainingTolerances.GradientNorm, FormattableString.Invariant($"gradient norm differs by {worstNorm}"));
        Assert.True(worstWeight <= TrainingTolerances.FinalWeights, FormattableString.Invariant($"weights differ by {worstWeight}"));
    }

    // What a file trains is told by what its batches hold.
    private static string Method(JsonElement root, JsonElement inputs) =>
        inputs.TryGetProperty("KL_input_ids", out _) ? "kto"
        : inputs.TryGetProperty("chosen_input_ids", out _) ? root.GetProperty("args").TryGetProperty("simpo_gamma", out _) ? "simpo" : "orpo"
        : inputs.TryGetProperty("labels", out _) ? "sft"
        : inputs.TryGetProperty("completion_mask", out _) ? "dpo"
        : "reward";

    private static JsonElement Inputs(JsonElement microBatch) => microBatch.TryGetProperty("inputs", out var inputs) ? inputs : microBatch;

    private static DpoObjective Objective(JsonElement args)
    {
        var forms = args.GetProperty("loss_type").EnumerateArray().Select(f => f.GetString()!).Zip(args.GetProperty("loss_weights").EnumerateArray().Select(w => w.GetDouble())).ToArray();
        var form = forms.Single(f => f.First != "sft");
        Assert.Equal(1, form.Second);
        return new DpoObjective(form.First, args.GetProperty("beta").GetDouble(),
            form.First == "sigmoid" ? 0 : args.GetProperty("label_smoothing").GetDouble(), // TRL ignores it there
            forms.FirstOrDefault(f => f.First == "sft").Second);
    }

    private static RaggedBatch Batch(JsonElement inputs, JsonElement.ArrayEnumerator marks, Func<int, bool>? isTarget = null, string prefix = "")
    {
        var (ids, trained) = Rows(inputs, marks, prefix, isTarget);
        return RaggedBatch.Of(ids, trained);
    }

    private static (int[][] Ids, bool[][] Trained) Rows(JsonElement inputs, JsonElement.ArrayEnumerator marks, string prefix, Func<int, bool>? isTarget = null)
    {
        var rows = inputs.GetProperty(prefix + "input_ids").EnumerateArray().Select(Ints).ToArray();
        var real = inputs.GetProperty(prefix + "attention_mask").EnumerateArray().Select(Ints).ToArray();
        var trained = marks.Select(Ints).ToArray();
        int[] Kept(int r) => [.. Enumerable.Range(0, rows[r].Length).Where(i => real[r][i] == 1)];
        return ([.. rows.Select((row, r) => Array.ConvertAll(Kept(r), i => row[i]))],
            [.. rows.Select((_, r) => Array.ConvertAll(Kept(r), i => isTarget?.Invoke(trained[r][i]) ?? trained[r][i] != RaggedBatch.Ignore))]);
    }

    private static JsonElement.ArrayEnumerator Labelled(JsonElement inputs) => inputs.GetProperty("labels").EnumerateArray();

    private static PairBatch Pairs(JsonElement inputs, Decoder reference)
    {
        var rows = Batch(inputs, inputs.GetProperty("completion_mask").EnumerateArray(), mark => mark == 1);
        return new PairBatch(rows, DpoStep.Score(reference, rows));
    }

    private static KtoBatch Answers(JsonElement inputs, Decoder reference)
    {
        var rows = Batch(inputs, inputs.GetProperty("completion_mask").EnumerateArray(), mark => mark == 1);
        var mismatched = Batch(inputs, inputs.GetProperty("KL_completion_mask").EnumerateArray(), mark => mark == 1, "KL_");
        return new KtoBatch(rows, mismatched, DpoStep.Score(reference, rows), DpoStep.Score(reference, mismatched), [.. inputs.GetProperty("label").EnumerateArray().Select(l => l.GetBoolean())]);
    }

    // The chosen rows, then the rejected ones.
    private static RaggedBatch Sides(JsonElement inputs)
    {
        var (chosen, rejected) = (Rows(inputs, Labels("chosen_"), "chosen_"), Rows(inputs, Labels("rejected_"), "rejected_"));
        return RaggedBatch.Of([.. chosen.Ids, .. rejected.Ids], [.. chosen.Trained, .. rejected.Trained]);

        JsonElement.ArrayEnumerator Labels(string side) => inputs.GetProperty(side + "labels").EnumerateArray();
    }

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(v => v.GetInt32())];

    private static void Attach(Decoder decoder, JsonElement settings, string stem)
    {
        bool True(string name) => settings.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.True;
        var lora = Lora.Attach(decoder, new AdapterConfig
        {
            Rank = settings.GetProperty("r").GetInt32(),
            Alpha = settings.GetProperty("lora_alpha").GetDouble(),
            Targets = new AdapterTargets { Modules = new ModuleNames([.. settings.GetProperty("target_modules").EnumerateArray().Select(t => t.GetString()!)]) },
            Dora = True("use_dora"),
            RankStabilised = True("use_rslora"),
        }, RandomStream.Of(1, "test", "lora"));
        using var file = SafetensorsFile.Open(stem + ".adapter.safetensors");
        foreach (var (name, value) in lora.Parameters)
            file.ReadFloats("initial." + name, value.Floats());
    }

    private static double Compare(string stem, IEnumerable<(string Name, Tensor Value)> weights, bool adapter)
    {
        using var file = SafetensorsFile.Open(stem + (adapter ? ".adapter.safetensors" : ".final.safetensors"));
        var worst = 0.0;
        foreach (var (name, value) in weights)
        {
            var expected = new float[value.numel()];
            file.ReadFloats("final." + name, expected);
            worst = Math.Max(worst, (value.detach().flatten() - tensor(expected)).abs().max().item<float>());
        }
        return worst;
    }

    private static void Copy(string path, IEnumerable<(string Name, Tensor Value)> weights)
    {
        using var file = SafetensorsFile.Open(path);
        foreach (var (name, value) in weights)
            file.ReadFloats(name, value.Floats());
    }
}
