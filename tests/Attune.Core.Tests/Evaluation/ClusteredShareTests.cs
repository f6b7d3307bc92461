using Attune.Core.Evaluation.Statistics;
using CsCheck;
using Xunit;

namespace Attune.Core.Tests.Evaluation;

public sealed class ClusteredShareTests
{
    [Fact]
    public void Items_that_stand_alone_have_Wilsons_interval() =>
        Gen.Bool.Array[1, 200].Sample(counts =>
        {
            var (low, high) = ClusteredShare.Interval<int>(counts, Enumerable.Range(0, counts.Length).ToArray());
            var (wilsonLow, wilsonHigh) = Wilson.Interval(counts.Count(c => c), counts.Length);
            Assert.Equal(wilsonLow, low, 1e-12);
            Assert.Equal(wilsonHigh, high, 1e-12);
        }, iter: 200, seed: "0000KOIPe3wn");

    [Fact]
    public void Clusters_that_answer_as_one_are_worth_one_item_each()
    {
        var facts = Enumerable.Range(0, 40).Select(i => i % 3 != 0).ToArray();
        var counts = facts.SelectMany(f => Enumerable.Repeat(f, 5)).ToArray();
        var clusters = Enumerable.Range(0, 200).Select(i => i / 5).ToArray();
        var (low, high) = ClusteredShare.Interval<int>(counts, clusters);
        var (wilsonLow, wilsonHigh) = Wilson.Interval(facts.Count(f => f), facts.Length);
        Assert.Equal(wilsonLow, low, 1e-12);
        Assert.Equal(wilsonHigh, high, 1e-12);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Where_nothing_varies_clusters_are_taken_to_answer_as_one(bool answer)
    {
        var counts = Enumerable.Repeat(answer, 60).ToArray();
        var clusters = Enumerable.Range(0, 60).Select(i => i / 6).ToArray();
        Assert.Equal(Wilson.Interval(answer ? 10 : 0, 10), ClusteredShare.Interval<int>(counts, clusters));
    }

    [Fact]
    public void Clusters_never_make_an_interval_narrower() =>
        Gen.Select(Gen.Bool, Gen.Int[0, 9]).Array[1, 80].Sample(items =>
        {
            var counts = items.Select(i => i.Item1).ToArray();
            var (low, high) = ClusteredShare.Interval<int>(counts, items.Select(i => i.Item2).ToArray());
            var (wilsonLow, wilsonHigh) = Wilson.Interval(counts.Count(c => c), counts.Length);
            Assert.InRange(low, 0, wilsonLow + 1e-12);
            Assert.InRange(high, wilsonHigh - 1e-12, 1);
        }, iter: 200, seed: "0000KOIPe3wn");

    // Facts differ in how well they are known: the clustered interval holds the true share about as often as it says, Wilson's does not.
    [Fact]
    public void The_interval_of_facts_in_several_wordings_holds_the_true_share()
    {
        var random = Attune.Core.Randomness.RandomStream.Of(5, "test", "coverage");
        int clustered = 0, plain = 0;
        const int rounds = 400, facts = 60, wordings = 8;
        for (var round = 0; round < rounds; round++)
        {
            var counts = new bool[facts * wordings];
            var clusters = new int[counts.Length];
            for (var fact = 0; fact < facts; fact++)
            {
                // The true share is 0.1·0.5 + 0.9·0.5.
                var known = random.Chance(0.5) ? 0.9 : 0.1;
                for (var wording = 0; wording < wordings; wording++)
                    (counts[fact * wordings + wording], clusters[fact * wordings + wording]) = (random.Chance(known), fact);
            }
            var (low, high) = ClusteredShare.Interval<int>(counts, clusters);
            clustered += low <= 0.5 && 0.5 <= high ? 1 : 0;
            (low, high) = Wilson.Interval(counts.Count(c => c), counts.Length);
            plain += low <= 0.5 && 0.5 <= high ? 1 : 0;
        }
        Assert.InRange((double)clustered / rounds, 0.92, 0.99);
        Assert.InRange((double)plain / rounds, 0, 0.8);
    }

    [Fact]
    public void Without_items_the_share_is_anything() => Assert.Equal((0.0, 1.0), ClusteredShare.Interval<int>([], []));

    [Fact]
    public void Every_item_has_a_cluster() => Assert.Throws<ArgumentException>(() => ClusteredShare.Interval<int>([true], [1, 2]));
}
