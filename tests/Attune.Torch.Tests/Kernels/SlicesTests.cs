using Attune.Torch.Kernels;
using Xunit;

namespace Attune.Torch.Tests.Kernels;

public sealed class SlicesTests
{
    [Theory]
    [InlineData(2400, 128, 2, 120, 20)] // nineteen of 128 would leave one worker a slice more
    [InlineData(4096, 128, 2, 128, 32)]
    [InlineData(130, 128, 2, 72, 2)] // and not 128 and 2
    [InlineData(50, 128, 2, 36, 2)]
    [InlineData(3, 128, 2, 12, 1)]
    [InlineData(0, 128, 2, 12, 0)]
    [InlineData(600, 256, 1, 204, 3)]
    [InlineData(100, 20, 2, 17, 6)] // never more than what was given
    public void All_workers_have_as_many(int rows, int most, int workers, int size, int count)
    {
        var slices = new Slices(rows, most, workers);
        Assert.Equal((size, count), (slices.Size, slices.Count));
        Assert.InRange(slices.Count, 0, Slices.Most(rows, most, workers));
        Assert.Equal(rows, Enumerable.Range(0, count).Sum(i => slices[i].Count));
        Assert.Equal(Enumerable.Range(0, count).Select(i => i * size), Enumerable.Range(0, count).Select(i => slices[i].From));
    }
}
