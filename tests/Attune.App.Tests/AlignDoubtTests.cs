using System.Text.Json.Nodes;
using Attune.App.Alignment;
using Attune.Core.Data;
using Attune.Core.Preferences;
using Xunit;

namespace Attune.App.Tests;

/// <summary>Labels that are exchanged with the held-out ones among them: what the report says of them.</summary>
[Collection(MicroWorld.Trains)]
public sealed class AlignDoubtTests : IDisposable
{
    private readonly AlignRun _run = new();

    public void Dispose() => _run.Dispose();

    // Chosen is what the version was taught to say, rejected is nothing that anybody says; a share of them is exchanged.
    private AlignOptions Pairs(double exchanged)
    {
        var taught = DataReader.ReadConversations(Path.Combine(MicroWorld.World, "sft.jsonl")).Select(r => r.Conversation.Messages).Where(m => m.Count == 2).DistinctBy(m => m[0].Content).Take(90).ToList();
        var right = _run.Write("right.jsonl", taught.Select(m => new JsonObject { ["prompt"] = m[0].Content, ["chosen"] = m[1].Content, ["rejected"] = "Zqx jvk wzzq xkcd qqj." }));
        var pairs = Path.Combine(Path.GetDirectoryName(right)!, "pairs.jsonl");
        PreferenceVariants.Write(pairs, PreferenceVariants.Flipped(DataReader.ReadPreferences(right), exchanged, seed: 3));
        return _run.Options with { Data = [pairs], Beta = 0.1 };
    }

    [Fact]
    public void Right_labels_are_learnt_and_only_their_own_word_for_it_is_doubted()
    {
        _run.Run(Pairs(exchanged: 0));
        Assert.True((double)_run.Notes("lean").Single()["low"]! > 0.5, _run.Report.ToJsonString());
        Assert.True((double)_run.Notes("round").Single()["labels"]!["low"]! > 0.5, _run.Report.ToJsonString());
        Assert.Equal(["own-labels"], _run.Doubts);
    }

    [Fact]
    public void Half_of_the_labels_exchanged_carries_no_signal()
    {
        _run.Run(Pairs(exchanged: 0.5));
        Assert.InRange((double)_run.Notes("round").Single()["labels"]!["win_rate"]!, 0.25, 0.75);
        Assert.Equal(["no-signal"], _run.Doubts);
    }

    [Fact]
    public void All_labels_exchanged_look_fine_by_themselves_and_the_start_knows_better()
    {
        _run.Run(Pairs(exchanged: 1));
        Assert.True((double)_run.Notes("round").Single()["labels"]!["low"]! > 0.5, _run.Report.ToJsonString());
        Assert.Equal(["exchanged", "own-labels"], _run.Doubts);
    }

    [Theory]
    [InlineData(0.9, 0.3, false, "against-judge")]
    [InlineData(0.9, 0.5, false, "unconfirmed")]
    [InlineData(0.9, 0.8, false, null)]
    [InlineData(0.9, null, false, "own-labels")]
    [InlineData(0.9, null, true, null)]
    [InlineData(0.5, 0.3, false, null)]
    public void What_was_learnt_is_held_against_what_does_not_come_from_the_labels(double labels, double? judged, bool hasTasks, string? doubt) =>
        Assert.Equal(doubt, AlignDoubt.OfEvidence(Rate(labels), judged is { } won ? Rate(won) : null, hasTasks)?.Name);

    [Fact]
    public void Every_doubt_stands_in_the_guide()
    {
        var guide = File.ReadAllText(Path.Combine(Checkout.Root, "docs", "guides", "align.md"));
        AlignDoubt?[] doubts =
        [
            AlignDoubt.OfLean(Rate(0.1)), AlignDoubt.OfSignal([Rate(0.5)]), AlignDoubt.OfEvidence(Rate(0.9), Rate(0.3), false),
            AlignDoubt.OfEvidence(Rate(0.9), Rate(0.5), false), AlignDoubt.OfEvidence(Rate(0.9), null, false),
        ];
        Assert.All(doubts, d => Assert.Contains($"| {d!.Name} |", guide, StringComparison.Ordinal));
    }

    [Fact]
    public void A_handful_of_items_won_is_not_certain()
    {
        var rate = WinRate.Of([1, 1]);
        Assert.Equal((1.0, 1.0, 2), (rate.Value, rate.High, rate.N));
        Assert.InRange(rate.Low, 0, 0.5);
        Assert.True(WinRate.Of([.. Enumerable.Repeat(1.0, 40)]).Low > 0.9);
    }

    private static WinRate Rate(double share) => WinRate.Of([.. Enumerable.Range(0, 100).Select(i => i < share * 100 ? 1.0 : 0)]);
}
