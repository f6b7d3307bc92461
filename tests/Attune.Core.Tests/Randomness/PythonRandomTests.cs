using Attune.Core.Randomness;
using Xunit;

namespace Attune.Core.Tests.Randomness;

/// <summary>What CPython 3.11 draws for seeds that are negative or longer than 32 bits, and on both sides of the size where sampling changes its ways.</summary>
public sealed class PythonRandomTests
{
    [Theory]
    [InlineData(-7, new[] { 165, 77, 202, 24, 37, 274 }, new[] { 48, 187, 29, 259, 109, 19 }, new[] { 11, 55, 53, 8, 30, 84 }, new[] { 70, 54, 7, 72, 15, 28 }, new[] { 20, 18, 1, 12, 19 }, new[] { 7, 1, 17, 4, 9 }, 53, 0.14425508335743753)]
    [InlineData(1099511627779, new[] { 112, 31, 48, 155, 218, 119 }, new[] { 241, 168, 132, 159, 131, 242 }, new[] { 42, 69, 47, 12, 4, 71 }, new[] { 58, 15, 63, 8, 3, 46 }, new[] { 3, 8, 6, 17, 7 }, new[] { 9, 13, 5, 15, 0 }, 31, 0.07507471475467009)]
    [InlineData(12345678901, new[] { 167, 196, 181, 275, 58, 85 }, new[] { 172, 191, 106, 178, 139, 268 }, new[] { 60, 45, 62, 75, 53, 27 }, new[] { 24, 35, 83, 60, 41, 28 }, new[] { 12, 3, 6, 2, 0 }, new[] { 9, 14, 1, 17, 19 }, 55, 0.27644697590319744)]
    public void Draws_as_Python_does(long seed, int[] first, int[] second, int[] fromList, int[] fromSet, int[] shortList, int[] shortSet, int below64, double last)
    {
        var random = new PythonRandom(seed);
        Assert.Equal(first, random.Sample(277, 6));
        Assert.Equal(second, random.Sample(277, 6));
        Assert.Equal(fromList, random.Sample(85, 6));
        Assert.Equal(fromSet, random.Sample(86, 6));
        Assert.Equal(shortList, random.Sample(21, 5));
        Assert.Equal(shortSet, random.Sample(22, 5));
        Assert.Equal(below64, random.Next(64));
        Assert.Equal(last, random.NextDouble());
    }

    [Fact]
    public void A_sample_larger_than_its_population_is_refused() => Assert.Throws<ArgumentOutOfRangeException>(() => new PythonRandom(1).Sample(3, 4));

    [Fact]
    public void NumPy_bounds_are_kept_at_their_extremes()
    {
        var random = new NumpyRandom(1);
        Assert.Equal(5, random.Next(5, 6));
        for (var i = 0; i < 100; i++) Assert.InRange(random.Next(int.MinValue, int.MaxValue), int.MinValue, int.MaxValue - 1);
        Assert.Throws<ArgumentOutOfRangeException>(() => random.Next(3, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => new NumpyRandom(-1));
    }
}
