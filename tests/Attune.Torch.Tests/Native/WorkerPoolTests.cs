using Attune.Torch.Native;

namespace Attune.Torch.Tests.Native;

public sealed class WorkerPoolTests
{
    [Fact]
    public void Every_item_is_done_once_however_often_and_with_sleeps_between()
    {
        TorchRuntime.Initialise(2);
        for (var run = 0; run < 2000; run++)
        {
            var done = new int[run % 7];
            WorkerPool.Run(done.Length, (item, worker) =>
            {
                Assert.InRange(worker, 0, WorkerPool.Workers - 1);
                Interlocked.Increment(ref done[item]);
            });
            Assert.All(done, count => Assert.Equal(1, count));
            if (run % 200 == 0)
                Thread.Sleep(3); // long enough for the workers to sleep
        }
    }

    [Fact]
    public void A_fault_in_a_piece_of_work_reaches_the_caller_and_the_pool_lives_on()
    {
        TorchRuntime.Initialise(2);
        Assert.Throws<InvalidOperationException>(() => WorkerPool.Run(8, (item, _) =>
        {
            if (item == 5)
                throw new InvalidOperationException();
        }));
        var count = 0;
        WorkerPool.Run(8, (_, _) => Interlocked.Increment(ref count));
        Assert.Equal(8, count);
    }
}
