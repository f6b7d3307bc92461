using Attune.Core.Data;
using Attune.Core.Preferences;
using Attune.Core.Tests.Checkpoints;
using Attune.Prompts;
using Xunit;

namespace Attune.Core.Tests.Preferences;

public class PreferenceVariantsTests
{
    private static readonly RowOrigin At = new("f", 1, "kind");

    private static readonly PreferenceRow[] Pairs = [.. Enumerable.Range(0, 400).Select(i =>
        new PreferenceRow(new Conversation([new("user", FormattableString.Invariant($"q{i}"))]), [new("assistant", "good")], [new("assistant", "bad")], At))];

    private static readonly ConversationRow[] Talks = [.. Enumerable.Range(0, 400).Select(i =>
        new ConversationRow(new Conversation([new("user", FormattableString.Invariant($"q{i}")), new("assistant", FormattableString.Invariant($"a{i}"))]), At))];

    private static int[] FlippedAt(double share) => [.. PreferenceVariants.Flipped(Pairs, share, 7).Select((p, i) => (p, i)).Where(x => x.p.Chosen[0].Content == "bad").Select(x => x.i)];

    [Fact]
    public void Noise_grows_by_adding_to_itself()
    {
        Assert.Empty(FlippedAt(0));
        Assert.Equal(400, FlippedAt(1).Length);
        Assert.InRange(FlippedAt(0.25).Length, 70, 130);
        Assert.Superset(FlippedAt(0.25).ToHashSet(), FlippedAt(0.5).ToHashSet());
    }

    [Fact]
    public void A_reviewer_leaves_less_noise_than_there_was()
    {
        int Wrong(IEnumerable<ConversationRow> rows) => rows.Count(r => r.Conversation.Messages[0].Content![1..] != r.Conversation.Messages[1].Content![1..]);
        var (noisy, filtered) = (PreferenceVariants.Noisy(Talks, 0.3, 7).ToList(), PreferenceVariants.Filtered(Talks, 0.3, 0.9, 0.05, 7).ToList());
        Assert.InRange(Wrong(noisy), 90, 150);
        Assert.InRange(Wrong(filtered), 1, 30);
        Assert.InRange(filtered.Count, 240, 310);
        Assert.Equal((400, 100), (PreferenceVariants.Duplicated(Talks, 4).Count(), PreferenceVariants.Duplicated(Talks, 4).Select(r => r.Conversation.Messages[0].Content).Distinct().Count()));
    }

    [Fact]
    public void Margins_of_any_scale_have_a_mean_of_one()
    {
        var unit = PreferenceVariants.UnitMargins([Pairs[0] with { Margin = 20 }, Pairs[1] with { Margin = 60 }, Pairs[2]]);
        Assert.Equal([0.5, 1.5, null], unit.Select(p => p.Margin));
    }

    [Fact]
    public void What_is_written_is_read_back()
    {
        using var scratch = new Scratch();
        PreferenceVariants.Write(scratch["pairs.jsonl"], Pairs.Select(p => p with { Margin = 2.5 }));
        var read = DataReader.ReadPreferences(scratch["pairs.jsonl"]).ToList();
        Assert.Equal((400, 2.5, "kind"), (read.Count, read[^1].Margin, read[0].Origin.Kind));
        PreferenceVariants.Write(scratch["talks.jsonl"], PreferenceVariants.Chosen(Pairs.Concat(Pairs)));
        Assert.Equal(400, DataReader.ReadConversations(scratch["talks.jsonl"]).Count());
    }
}
