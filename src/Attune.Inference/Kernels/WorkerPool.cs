namespace Attune.Inference.Kernels;

/// <summary>
/// A few threads that run one body together, again and again, with barriers inside it. A step of a small model takes
/// tens of microseconds and has dozens of parts, so a hand-over must cost well under one: waiting threads spin for a
/// moment, then yield, and between steps they sleep. The calling thread is worker 0.
/// </summary>
internal sealed class WorkerPool : IDisposable
{
    // Long enough to bridge the sampling between two steps, short enough to leave an idle machine idle.
    private const int SpinsBeforeSleep = 200;

    private readonly Thread[] _threads;
    private readonly SemaphoreSlim[] _wake;
    private readonly int[] _asleep;
    private Action<int>? _body;
    private Exception? _failure;
    private volatile int _epoch;
    private volatile int _arrived;
    private volatile int _phase;
    private volatile int _running;
    private volatile bool _stop;

    public WorkerPool(int workers)
    {
        Workers = workers;
        _threads = new Thread[workers - 1];
        _wake = new SemaphoreSlim[workers - 1];
        _asleep = new int[workers - 1];
        for (var i = 0; i < _threads.Length; i++)
        {
            var index = i;
            _wake[i] = new SemaphoreSlim(0);
            _threads[i] = new Thread(() => Serve(index)) { IsBackground = true, Name = FormattableString.Invariant($"attune worker {i + 1}") };
            _threads[i].Start();
        }
    }

    public int Workers { get; }

    /// <summary>Runs <paramref name="body"/> on every worker and returns when all are done. Not re-entrant.</summary>
    public void Run(Action<int> body)
    {
        ObjectDisposedException.ThrowIf(_stop, this);
        if (Workers == 1)
        {
            body(0);
            return;
        }
        (_body, _failure, _arrived) = (body, null, 0);
        _running = _threads.Length;
        Interlocked.Increment(ref _epoch);
        for (var i = 0; i < _wake.Length; i++)
        {
            if (Interlocked.Exchange(ref _asleep[i], 0) == 1)
                _wake[i].Release();
        }
        Guarded(0);
        var spin = new SpinWait();
        while (_running > 0)
            spin.SpinOnce(sleep1Threshold: -1);
        if (_failure is { } failure)
            throw new InvalidOperationException("A worker of the engine failed.", failure);
    }

    /// <summary>Returns when every worker has come here. To be called by all of them equally often.</summary>
    public void Barrier()
    {
        if (Workers == 1)
            return;
        var phase = _phase;
        if (Interlocked.Increment(ref _arrived) == Workers)
        {
            _arrived = 0;
            _phase = phase + 1;
            return;
        }
        var spin = new SpinWait();
        while (_phase == phase)
        {
            if (_failure is not null)
                throw new OperationCanceledException("Another worker failed.");
            spin.SpinOnce(sleep1Threshold: -1);
        }
    }

    public void Dispose()
    {
        if (_stop)
            return;
        _stop = true;
        foreach (var wake in _wake)
            wake.Release();
        foreach (var thread in _threads)
            thread.Join();
        foreach (var wake in _wake)
            wake.Dispose();
    }

    private void Guarded(int worker)
    {
        try
        {
            _body!(worker);
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref _failure, e, null);
        }
    }

    private void Serve(int index)
    {
        var seen = 0;
        while (true)
        {
            var spin = new SpinWait();
            while (_epoch == seen && !_stop)
            {
                if (spin.Count < SpinsBeforeSleep)
                {
                    spin.SpinOnce(sleep1Threshold: -1);
                    continue;
                }
                // Announce the sleep first and look again after: whoever starts a step in between sees the announcement.
                Interlocked.Exchange(ref _asleep[index], 1);
                if (_epoch == seen && !_stop)
                    _wake[index].Wait();
                else if (Interlocked.Exchange(ref _asleep[index], 0) == 0)
                    _wake[index].Wait();
                spin.Reset();
            }
            if (_stop)
                return;
            seen = _epoch;
            Guarded(index + 1);
            Interlocked.Decrement(ref _running);
        }
    }
}
