using Attune.Torch.Kernels;
using static TorchSharp.torch;

namespace Attune.Torch.Tests.Kernels;

public class PlacesTests
{
    [Fact]
    public void Values_are_added_at_their_places()
    {
        using var scope = NewDisposeScope();
        var sums = tensor(new[] { 1f, 0, 0 }).AddAt(tensor(new long[] { 2, 0, 2 }), tensor(new[] { 1f, 2, 3 }));
        Assert.Equal([3f, 0, 4], sums.data<float>().ToArray());
    }

    [Fact]
    public async Task The_collector_does_not_reach_into_a_sum_that_is_at_work()
    {
        // Only compiled in full does a call let go of what it has handed over.
        for (var round = 0; round < 2; round++)
        {
            for (var i = 0; i < 200; i++)
                Sum(2);
            await Task.Delay(400, TestContext.Current.CancellationToken);
        }
        using var stop = new CancellationTokenSource();
        var collecting = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        });
        for (var i = 0; i < 60; i++)
            Assert.Equal(1_000_000, Sum(1_000_000));
        await stop.CancelAsync();
        await collecting;
    }

    private static float Sum(int count)
    {
        using var scope = NewDisposeScope();
        return zeros(count).AddAt(arange(count, dtype: int64), ones(count)).sum().item<float>();
    }
}
