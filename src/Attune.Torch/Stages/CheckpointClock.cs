namespace Attune.Torch.Stages;

/// <summary>When the next checkpoint is due: every so many steps, or every so much time, whichever comes first.</summary>
public sealed class CheckpointClock(TrainingOptions options, TimeProvider time)
{
    private long _last = time.GetTimestamp();

    /// <summary>Whether one is due after a step; asking starts the time anew where it is.</summary>
    public bool IsDue(long step)
    {
        var due = (options.CheckpointSteps > 0 && step % options.CheckpointSteps == 0)
            || (options.CheckpointEvery > TimeSpan.Zero && time.GetElapsedTime(_last) >= options.CheckpointEvery);
        if (due)
            _last = time.GetTimestamp();
        return due;
    }
}
