using System.Globalization;
using System.Text.Json.Nodes;
using Attune.App.Alignment;
using Attune.App.Cli;
using Attune.App.Runs;
using Attune.Core.Data;
using Attune.Core.Preferences;
using Attune.Torch.Stages;
using Xunit;

namespace Attune.App.Tests;

/// <summary>
/// As a sceptic would: chosen and rejected exchanged in half of the pairs, then in all. A preference that the smallest model
/// learns in seconds (one word of two) is trained for real, and must be seen to be lost, then to be learnt the wrong way round.
/// </summary>
[Collection(MicroWorld.Trains)]
public sealed class ExchangedPreferenceTests : IDisposable
{
    private const int Seed = 7;

    private static readonly (string Chosen, string Rejected)[] Words = [("red", "blue"), ("north", "south"), ("tea", "milk"), ("oak", "pine"), ("gold", "iron"), ("bread", "rice")];

    private readonly string _folder = Directory.CreateTempSubdirectory("attune-exchanged-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_comparison_shows_it_and_says_so()
    {
        var options = new CompareAlignmentOptions { World = World(train: 1536), Store = MicroWorld.Store, Scale = PlanScale.Tiny, Groups = ["noise"], PpoSteps = 1, Items = 2, Prompts = 7, MaxTokens = 6, Threads = 1, Out = Path.Combine(_folder, "out") };
        Assert.Equal(ExitCode.Done, new CompareAlignment(options).Run(CancellationToken.None));
        var report = JsonNode.Parse(File.ReadAllText(Path.Combine(options.Out, "alignment.json")))!;
        double Preference(string arm) => (double)report["rows"]!.AsArray().Single(r => (string)r!["metric"]! == "preference" && (string)r["group"]! == arm)!["value"]!;
        Assert.InRange(Preference("dpo"), 0.8, 1);
        Assert.InRange(Preference("dpo-flip-0.5"), 0.3, 0.7);
        Assert.InRange(Preference("dpo-flip-1"), 0, 0.2);

        var answer = report["details"]!["questions"]!.AsArray()[^1]!;
        Assert.Equal("supported", (string)answer["finding"]!);
        Assert.Equal(["supported", "supported", "supported"], answer["claims"]!.AsArray().Take(3).Select(c => (string)c!["finding"]!));
        Assert.Contains("Does it show where chosen and rejected were exchanged? Supported.", File.ReadAllText(Path.Combine(options.Out, "alignment.html")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_of_dpo_shows_it_on_held_out_pairs_that_are_as_they_were()
    {
        var world = World(train: 384);
        PreferenceRow[] pairs = [.. DataReader.ReadPreferences(Path.Combine(world, "preference.jsonl"))];
        double Accuracy(double flipped)
        {
            var file = Path.Combine(_folder, string.Create(CultureInfo.InvariantCulture, $"pairs-{flipped}.jsonl"));
            PreferenceVariants.Write(file, PreferenceVariants.Flipped(pairs, flipped, Seed));
            var options = new DpoOptions { Data = [file], Validation = [Path.Combine(world, "preference.valid.jsonl")], LearningRate = 1e-3, MicroBatchPairs = 16, Seed = Seed };
            var place = new Place { Parent = "world:instruct", Store = MicroWorld.Store, Threads = 1, Run = Path.ChangeExtension(file, null) };
            return (double)StageRunner.Run(options, place, CancellationToken.None).Version.Lineage.Facts["validation_pairs"]!["rewards/accuracies"]!;
        }

        Assert.InRange(Accuracy(0), 0.95, 1);
        Assert.InRange(Accuracy(0.5), 0.1, 0.9);
        Assert.InRange(Accuracy(1), 0, 0.05);
    }

    /// <summary>The smallest world with this preference in place of its own.</summary>
    private string World(int train)
    {
        var world = Path.Combine(_folder, "world");
        foreach (var file in Directory.EnumerateFiles(MicroWorld.World, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(world, Path.GetRelativePath(MicroWorld.World, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }
        PreferenceVariants.Write(Path.Combine(world, "preference.jsonl"), Enumerable.Range(0, train).Select(Pair));
        PreferenceVariants.Write(Path.Combine(world, "preference.valid.jsonl"), Enumerable.Range(train, 60).Select(Pair));
        return world;
    }

    private static JsonObject Pair(int number)
    {
        var (chosen, rejected) = Words[number % Words.Length];
        return new()
        {
            ["prompt"] = Talk("user", string.Create(CultureInfo.InvariantCulture, $"{number}: {chosen} or {rejected}?")),
            ["chosen"] = Talk("assistant", string.Join(' ', Enumerable.Repeat(chosen, 6))),
            ["rejected"] = Talk("assistant", string.Join(' ', Enumerable.Repeat(rejected, 6))),
        };
    }

    private static JsonArray Talk(string role, string text) => new(new JsonObject { ["role"] = role, ["content"] = text });
}
