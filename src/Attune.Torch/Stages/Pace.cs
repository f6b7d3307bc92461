namespace Attune.Torch.Stages;

/// <summary>How fast a run goes: over the last steps for people to watch, over the whole for its report.</summary>
public sealed class Pace(TimeProvider time, double secondsBefore)
{
    private const int Window = 20;
    private readonly long _start = time.GetTimestamp();
    private readonly Queue<(long Stamp, long Tokens)> _recent = new([(time.GetTimestamp(), 0L)]);
    private long _tokens;

    /// <summary>Seconds in the loop, earlier parts of a resumed run included.</summary>
    public double Seconds => secondsBefore + time.GetElapsedTime(_start).TotalSeconds;

    /// <summary>Real tokens per second over the last steps.</summary>
    public double TokensPerSecond { get; private set; }

    private double _stepsPerSecond;

    /// <summary>Notes a step.</summary>
    public void Add(long tokens)
    {
        _tokens += tokens;
        _recent.Enqueue((time.GetTimestamp(), _tokens));
        if (_recent.Count > Window)
            _recent.Dequeue();
        var (stamp, before) = _recent.Peek();
        var seconds = Math.Max(1e-9, time.GetElapsedTime(stamp).TotalSeconds);
        TokensPerSecond = (_tokens - before) / seconds;
        _stepsPerSecond = (_recent.Count - 1) / seconds;
    }

    /// <summary>Time for that many more steps.</summary>
    public TimeSpan Eta(long steps) => _stepsPerSecond > 0 ? TimeSpan.FromSeconds(steps / _stepsPerSecond) : TimeSpan.Zero;
}
