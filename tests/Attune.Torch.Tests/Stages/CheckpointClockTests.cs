using Attune.Torch.Stages;

namespace Attune.Torch.Tests.Stages;

/// <summary>Checkpoints by time, on a clock that only the test moves.</summary>
public sealed class CheckpointClockTests : IDisposable
{
    private readonly TinyRuns _runs = new();

    public void Dispose() => _runs.Dispose();

    private sealed class Death : Exception;

    private sealed class HandClock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Advance(TimeSpan time) => _ticks += time.Ticks;
    }

    [Fact]
    public void One_is_due_when_the_time_is_over_and_the_time_starts_anew()
    {
        var time = new HandClock();
        var clock = new CheckpointClock(PretrainOptions.Tiny() with { CheckpointEvery = TimeSpan.FromSeconds(60) }, time);
        Assert.False(clock.IsDue(1));
        time.Advance(TimeSpan.FromSeconds(59));
        Assert.False(clock.IsDue(2));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(clock.IsDue(3));
        Assert.False(clock.IsDue(4));
        time.Advance(TimeSpan.FromSeconds(60));
        Assert.True(clock.IsDue(5));
    }

    [Fact]
    public void One_that_is_due_by_steps_starts_the_time_anew()
    {
        var time = new HandClock();
        var clock = new CheckpointClock(PretrainOptions.Tiny() with { CheckpointEvery = TimeSpan.FromSeconds(60), CheckpointSteps = 2 }, time);
        time.Advance(TimeSpan.FromSeconds(40));
        Assert.True(clock.IsDue(2));
        time.Advance(TimeSpan.FromSeconds(40));
        Assert.False(clock.IsDue(3));
        time.Advance(TimeSpan.FromSeconds(20));
        Assert.True(clock.IsDue(5));
    }

    [Fact]
    public void No_time_at_all_is_no_checkpoint_by_time()
    {
        var time = new HandClock();
        var clock = new CheckpointClock(PretrainOptions.Tiny() with { CheckpointEvery = TimeSpan.Zero }, time);
        time.Advance(TimeSpan.FromDays(1));
        Assert.False(clock.IsDue(1));
    }

    [Fact]
    public void A_run_that_dies_goes_on_from_the_last_checkpoint_by_time()
    {
        var time = new HandClock();
        var options = TinyRuns.Pretraining(_runs.Text) with { CheckpointEvery = TimeSpan.FromSeconds(60) };
        Assert.Throws<Death>(() => Pretrain.Run(options, _runs.Context("timed", progress: p =>
        {
            // The third step takes a minute, the fifth does not end.
            if (p.Message is null && p.Step == 3)
                time.Advance(TimeSpan.FromSeconds(60));
            else if (p.Message is null && p.Step == 5)
                throw new Death();
        }) with { Time = time }));
        var messages = new List<string>();
        var resumed = Pretrain.Run(options, _runs.Context("timed", progress: p => messages.AddRange(p.Message is { } message ? [message] : [])) with { Time = time });
        Assert.Equal("Resumed after step 3 of 8.", messages[0]);
        Assert.Equal(TinyRuns.WeightsOf(Pretrain.Run(options, _runs.Context("timed-whole"))), TinyRuns.WeightsOf(resumed));
    }
}
