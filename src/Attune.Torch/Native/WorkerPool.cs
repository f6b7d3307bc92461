using System.Runtime.ExceptionServices;

namespace Attune.Torch.Native;

/// <summary>
/// A few threads that share out short pieces of work: microseconds to start, where Parallel.For takes tens. A training
/// step crosses a hundred barriers, so a worker spins for a moment after its last piece and only then sleeps.
/// Pieces are taken in order by whoever is free; each writes its own part of the result, so the result does not depend
/// on who took what.
/// </summary>
internal sealed class WorkerPool
{
    // About 60 µs (SpinWait(8) is some 0.3 µs): longer than the gap between two kernels, too short to bother others.
    private const int SpinsBeforeSleep = 200;

    private static readonly Lock OneRunAtATime = new();
    private static WorkerPool? _shared;

    private readonly SemaphoreSlim[] _wake;
    private readonly int[] _asleep;
    private readonly int _workers;
    private Action<int, int> _work = (_, _) => { };
    private int _items;
    private volatile int _run;
    private PaddedCounter _next, _busy;
    private ExceptionDispatchInfo? _fault;
    private volatile bool _stop;

    private WorkerPool(int workers)
    {
        _workers = workers;
        _asleep = new int[workers];
        _wake = [.. Enumerable.Range(0, workers).Select(_ => new SemaphoreSlim(0))];
        for (var worker = 1; worker < workers; worker++)
        {
            var self = worker;
            new Thread(() => Live(self)) { IsBackground = true, Name = $"attune kernel {self}" }.Start();
        }
    }

    /// <summary>Threads that take part, the caller among them.</summary>
    public static int Workers => Math.Max(1, TorchRuntime.Threads);

    /// <summary>
    /// Calls <paramref name="work"/>(item, worker) for every item; the caller takes part and returns when all are done.
    /// Worker numbers are below <see cref="Workers"/>. MKL runs on the one calling thread inside.
    /// </summary>
    public static void Run(int items, Action<int, int> work)
    {
        lock (OneRunAtATime)
        {
            if (_shared?._workers != Workers)
            {
                _shared?.Stop();
                _shared = new WorkerPool(Workers);
            }
            var before = Gemm.ThreadsHere(1);
            try
            {
                _shared.Share(items, work);
            }
            finally
            {
                Gemm.ThreadsHere(before);
            }
        }
    }

    private void Share(int items, Action<int, int> work)
    {
        if (items <= 1 || _workers == 1)
        {
            for (var item = 0; item < items; item++)
                work(item, 0);
            return;
        }

        (_work, _items) = (work, items);
        _next.Value = 0;
        _busy.Value = _workers - 1;
        _run++; // volatile: publishes all of the above
        Wake();

        Take(0);
        var spin = 0;
        while (Volatile.Read(ref _busy.Value) > 0)
        {
            if (++spin < 4 * SpinsBeforeSleep)
                Thread.SpinWait(8);
            else
                Thread.Yield();
        }
        if (_fault is { } fault)
        {
            _fault = null;
            fault.Throw();
        }
    }

    private void Take(int worker)
    {
        try
        {
            for (int item; (item = Interlocked.Increment(ref _next.Value) - 1) < _items;)
                _work(item, worker);
        }
        catch (Exception fault)
        {
            _fault ??= ExceptionDispatchInfo.Capture(fault);
            Volatile.Write(ref _next.Value, _items);
        }
    }

    private void Live(int worker)
    {
        _ = Gemm.ThreadsHere(1);
        for (var seen = 0; ;)
        {
            for (var spin = 0; _run == seen; spin++)
            {
                if (_stop)
                    return;
                if (spin < SpinsBeforeSleep)
                    Thread.SpinWait(8);
                else
                    Sleep(worker, seen);
            }
            seen = _run;
            Take(worker);
            Interlocked.Decrement(ref _busy.Value);
        }
    }

    private void Sleep(int worker, int seen)
    {
        // Announced first, looked second: a run that begins in between either sees the sleeper or is seen by it.
        Interlocked.Exchange(ref _asleep[worker], 1);
        if (_run == seen || Interlocked.Exchange(ref _asleep[worker], 0) == 0)
            _wake[worker].Wait();
    }

    private void Wake()
    {
        for (var worker = 1; worker < _workers; worker++)
        {
            if (Interlocked.Exchange(ref _asleep[worker], 0) == 1)
                _wake[worker].Release();
        }
    }

    private void Stop()
    {
        _stop = true;
        _run++;
        Wake();
    }

    /// <summary>A counter on a cache line of its own.</summary>
    [System.Runtime.InteropServices.StructLayout(System.Runtime.InteropServices.LayoutKind.Explicit, Size = 192)]
    private struct PaddedCounter
    {
        [System.Runtime.InteropServices.FieldOffset(64)]
        public int Value;
    }
}
