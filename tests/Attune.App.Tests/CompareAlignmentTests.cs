using System.Text.Json.Nodes;
using Attune.App.Alignment;
using Attune.App.Cli;
using Xunit;

namespace Attune.App.Tests;

public sealed class CompareAlignmentTests : IDisposable
{
    private readonly string _out = Directory.CreateTempSubdirectory("attune-compare-").FullName;

    public void Dispose() => Directory.Delete(_out, recursive: true);

    private CompareAlignmentOptions Options => new()
    {
        World = MicroWorld.World,
        Store = MicroWorld.Store,
        Scale = PlanScale.Tiny,
        Groups = ["noise"],
        Seeds = 2,
        Rows = 24,
        PpoSteps = 2,
        Items = 2,
        Prompts = 7,
        MaxTokens = 6,
        Threads = 1,
        Out = _out,
    };

    [Fact]
    public void Arms_are_trained_once_measured_and_reported_and_the_same_command_resumes()
    {
        Assert.Equal(ExitCode.Done, new CompareAlignment(Options).Run(CancellationToken.None));
        var runs = Directory.GetDirectories(Path.Combine(_out, "runs"));
        var stamps = runs.ToDictionary(r => r, r => File.GetLastWriteTimeUtc(Path.Combine(r, "result.json")));
        var report = Report();
        var rows = report["rows"]!.AsArray();

        // Every arm has every figure, with the number of its items or seeds.
        string[] arms = [.. report["details"]!["arms"]!.AsArray().Select(a => (string)a!["arm"]!)];
        Assert.Contains("dpo-flip-1", arms);
        foreach (var arm in arms)
        {
            foreach (var metric in new[] { "quality", "helpfulness", "harm", "kl", "truth", "cost.policy.seconds", "cost.policy.tokens" })
                Assert.Single(rows, r => (string)r!["metric"]! == metric && (string)r["group"]! == arm && (int)r["n"]! > 0);
            Assert.Equal(arm != "sft", rows.Any(r => (string)r!["metric"]! == "winrate" && (string)r["group"]! == $"{arm} over sft"));
        }
        Assert.Equal(2, (int)rows.Single(r => (string)r!["metric"]! == "quality.spread" && (string)r["group"]! == "dpo")!["n"]!);
        Assert.Equal(4, report["details"]!["questions"]!.AsArray().Count);
        Assert.Contains("<svg", File.ReadAllText(Path.Combine(_out, "alignment.html")), StringComparison.Ordinal);

        Assert.Equal(ExitCode.Done, new CompareAlignment(Options).Run(CancellationToken.None));
        Assert.Equal(stamps, Directory.GetDirectories(Path.Combine(_out, "runs")).ToDictionary(r => r, r => File.GetLastWriteTimeUtc(Path.Combine(r, "result.json"))));
        Assert.Equal(rows.ToJsonString(), Report()["rows"]!.AsArray().ToJsonString());
    }

    [Fact]
    public void A_flip_of_every_pair_is_learnt_the_wrong_way_round()
    {
        var data = AlignmentData.Write(MicroWorld.World, Path.Combine(_out, "data"), 0, 7, CancellationToken.None);
        var (straight, flipped) = (File.ReadAllLines(data.Pairs(0)), File.ReadAllLines(data.Pairs(1)));
        Assert.Equal(straight.Length, flipped.Length);
        Assert.All(straight.Zip(flipped), p => Assert.Equal(JsonNode.Parse(p.First)!["chosen"]!.ToJsonString(), JsonNode.Parse(p.Second)!["rejected"]!.ToJsonString()));
    }

    [Fact]
    public void An_unknown_part_is_refused_with_the_nearest()
    {
        var error = Assert.Throws<Prompts.AttuneException>(() => new CompareAlignment(Options with { Groups = ["nosie"] }).Run(CancellationToken.None));
        Assert.Equal("ATT4802", error.Code);
        Assert.Contains("noise", error.Hint, StringComparison.Ordinal);
    }

    private JsonObject Report() => JsonNode.Parse(File.ReadAllText(Path.Combine(_out, "alignment.json")))!.AsObject();
}
