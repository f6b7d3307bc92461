using Attune.Core.Randomness;
using Xunit;

namespace Attune.Core.Tests.Randomness;

public class RandomStreamTests
{
    [Fact]
    public void It_is_the_published_generator()
    {
        // The first outputs of xoshiro256** from the state 1, 2, 3, 4, as its authors' C code gives them.
        var stream = RandomStream.Resume([1, 2, 3, 4]);
        ulong[] expected = [11520, 0, 1509978240, 1215971899390074240, 1216172134540287360, 607988272756665600, 16172922978634559625, 8476171486693032832, 10595114339597558777, 2904607092377533576];
        Assert.Equal(expected, expected.Select(_ => stream.NextBits()));
    }

    [Fact]
    public void A_stream_goes_on_from_its_state_and_differs_by_every_part_of_its_name()
    {
        var stream = RandomStream.Of(1, "sft", "order");
        stream.NextBits();
        var copy = RandomStream.Resume(stream.State);
        Assert.Equal(Enumerable.Range(0, 9).Select(_ => stream.NextBits()).ToList(), Enumerable.Range(0, 9).Select(_ => copy.NextBits()).ToList());
        ulong[] firsts = [First(1, "sft", "order"), First(2, "sft", "order"), First(1, "dpo", "order"), First(1, "sft", "noise")];
        Assert.Equal(4, firsts.Distinct().Count());

        static ulong First(long seed, string stage, string purpose) => RandomStream.Of(seed, stage, purpose).NextBits();
    }

    [Fact]
    public void Numbers_are_even_over_their_range()
    {
        var stream = RandomStream.Of(3, "test", "even");
        var counts = new int[7];
        for (var i = 0; i < 70_000; i++)
            counts[stream.Next(7)]++;
        Assert.All(counts, c => Assert.InRange(c, 9_600, 10_400));
        Assert.InRange(Enumerable.Range(0, 10_000).Average(_ => stream.NextDouble()), 0.49, 0.51);
        Assert.Throws<ArgumentOutOfRangeException>(() => stream.Next(0));
    }
}
