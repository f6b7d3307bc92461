using System.Text.Json;
using Attune.Testing;
using Attune.Torch.Losses;
using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Attune.Torch.Tests.Losses;

/// <summary>The arithmetic of PPO on given arrays: rows padded to one length there, end to end here.</summary>
public sealed class PpoLossVectors
{
    private sealed record Case(string Name, JsonElement Root)
    {
        public int[] Lengths { get; } = [.. Root.GetProperty("lengths").EnumerateArray().Select(l => l.GetInt32())];

        public double Number(string key) => Root.GetProperty(key).GetDouble();

        public double[][] Rows(string key) => [.. Root.GetProperty(key).EnumerateArray().Select((row, r) => row.EnumerateArray().Take(Lengths[r]).Select(v => v.GetDouble()).ToArray())];

        public double[] Flat(string key) => [.. Rows(key).SelectMany(row => row)];

        public void Near(string key, IReadOnlyList<double> actual) => Near(key, Flat(key), actual);

        public void Near(string key, IReadOnlyList<double> expected, IReadOnlyList<double> actual)
        {
            Assert.Equal(expected.Count, actual.Count);
            for (var i = 0; i < actual.Count; i++)
                Assert.True(Math.Abs(expected[i] - actual[i]) <= TrainingTolerances.Ppo, FormattableString.Invariant($"{Name}, {key}[{i}]: {actual[i]} is not {expected[i]}"));
        }
    }

    private static List<Case> Cases()
    {
        Assert.SkipWhen(SharedData.MaySkip, "no reference data");
        var cases = SharedData.Files("*.json", "vectors", "trl").Select(f => new { File = f, Root = JsonDocument.Parse(File.ReadAllText(f)).RootElement })
            .Where(f => f.Root.TryGetProperty("vpred", out _)).Select(f => new Case(Path.GetFileName(f.File), f.Root)).ToList();
        Assert.NotEmpty(cases);
        return cases;
    }

    [Fact]
    public void AdvantagesReturnsAndWhitening()
    {
        foreach (var c in Cases())
        {
            var (values, advantages) = (c.Rows("values"), new List<double>());
            foreach (var (rewards, r) in c.Rows("rewards").Select((rewards, r) => (rewards, r)))
            {
                var row = new double[rewards.Length];
                Gae.Of(rewards, values[r], c.Number("gamma"), c.Number("lam"), row);
                advantages.AddRange(row);
            }
            c.Near("advantages", advantages);
            c.Near("returns", [.. advantages.Zip(c.Flat("values"), (a, v) => a + v)]);
            var whitened = advantages.ToArray();
            Whitening.Apply(whitened);
            c.Near("whitened_advantages", whitened);
            var kept = c.Flat("rewards");
            Whitening.Apply(kept, keepMean: true);
            c.Near("whitened_rewards_keep_mean", kept);
        }
    }

    [Fact]
    public void KlEstimates()
    {
        foreach (var c in Cases())
        {
            var (old, reference) = (c.Flat("old_logprobs"), c.Flat("ref_logprobs"));
            c.Near("k1", [.. old.Zip(reference, KlEstimate.K1)]);
            c.Near("k3", [.. old.Zip(reference, KlEstimate.K3)]);
            using var scope = NewDisposeScope();
            c.Near("k3", KlEstimate.K3(tensor(old), tensor(reference)).data<double>().ToArray());
        }
    }

    [Fact]
    public void ClippedLosses()
    {
        foreach (var c in Cases())
        {
            using var scope = NewDisposeScope();
            Tensor Flat(string key) => tensor(c.Flat(key));
            c.Near("ratio", PpoLoss.Ratio(Flat("new_logprobs"), Flat("old_logprobs")).data<double>().ToArray());
            var policy = PpoLoss.Policy(Flat("new_logprobs"), Flat("old_logprobs"), Flat("whitened_advantages"), c.Number("cliprange")).item<double>();
            var value = PpoLoss.Value(Flat("vpred"), Flat("values"), Flat("returns"), c.Number("cliprange_value")).item<double>();
            c.Near("policy_loss", [c.Number("policy_loss")], [policy]);
            c.Near("value_loss", [c.Number("value_loss")], [value]);
            c.Near("loss", [c.Number("loss")], [policy + c.Number("vf_coef") * value]);
        }
    }
}
