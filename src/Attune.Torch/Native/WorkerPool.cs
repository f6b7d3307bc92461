using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace Attune.Torch.Native;

/// <summary>
/// A few threads that share out short pieces of work: microseconds to start, where Parallel.For takes tens. A training
/// step crosses a hundred barriers, so a worker spins for a moment after its last piece and only then sleeps.
/// Pieces are taken in order by whoever is free; each writes its own part of the result, so the result does not depend
/// on who took what. The caller waits for pieces, not for workers: one that the system does not let run delays nobody.
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
    private volatile Job _job = new((_, _) => { }, 0);
    private volatile bool _stop;

    private WorkerPool(int workers)
    {
        _workers = workers;
        _asleep = new int[workers];
        _wake = [.. Enumerable.Range(0, workers).Select(_ => new SemaphoreSlim(0))];
        for (var worker = 1; worker < workers; worker++)
        {
            var self = worker;
            new Thread(() => Live(self)) { IsBackground = true, Name = FormattableString.Invariant($"attune kernel {self}") }.Start();
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
            var before = Mkl.ThreadsHere(1);
            try
            {
                _shared.Share(new Job(work, items));
            }
            finally
            {
                Mkl.ThreadsHere(before);
            }
        }
    }

    private void Share(Job job)
    {
        if (job.Items > 1)
        {
            _job = job;
            Wake();
        }
        job.Take(0);
        job.WaitForTheOthers();
    }

    private void Live(int worker)
    {
        _ = Mkl.ThreadsHere(1);
        for (var seen = (Job?)null; ;)
        {
            for (var spin = 0; ReferenceEquals(_job, seen); spin++)
            {
                if (_stop)
                    return;
                if (spin < SpinsBeforeSleep)
                    Thread.SpinWait(8);
                else
                    Sleep(worker, seen);
            }
            seen = _job;
            seen.Take(worker);
        }
    }

    private void Sleep(int worker, Job? seen)
    {
        // Announced first, looked second: a job that comes in between either sees the sleeper or is seen by it.
        Interlocked.Exchange(ref _asleep[worker], 1);
        if ((ReferenceEquals(_job, seen) && !_stop) || Interlocked.Exchange(ref _asleep[worker], 0) == 0)
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
        Wake();
    }

    /// <summary>One run's pieces: taken by a counter, counted when done. A worker that comes late finds none left.</summary>
    private sealed class Job(Action<int, int> work, int items)
    {
        private Counters _counters;
        private ExceptionDispatchInfo? _fault;

        public int Items => items;

        public void Take(int worker)
        {
            for (int item; (item = Interlocked.Increment(ref _counters.Taken) - 1) < items;)
            {
                try
                {
                    if (_fault is null)
                        work(item, worker);
                }
                catch (Exception fault)
                {
                    _fault = ExceptionDispatchInfo.Capture(fault);
                }
                Interlocked.Increment(ref _counters.Done);
            }
        }

        public void WaitForTheOthers()
        {
            for (var spin = 0; Volatile.Read(ref _counters.Done) < items; spin++)
            {
                if (spin < SpinsBeforeSleep)
                    Thread.SpinWait(8);
                else
                    Thread.Yield();
            }
            _fault?.Throw();
        }

        /// <summary>Each on a cache line of its own.</summary>
        [StructLayout(LayoutKind.Explicit, Size = 256)]
        private struct Counters
        {
            [FieldOffset(64)]
            public int Taken;

            [FieldOffset(192)]
            public int Done;
        }
    }
}
