namespace Attune.Inference;

/// <summary>
/// Continuous batching: sequences join a running batch when there is room and leave when they are done; each step
/// takes the last token of every running one and as much of the waiting prompts as fits. The loop runs on a thread of
/// the pool while there is work, and not otherwise. Which sequences happen to run together changes no token.
/// </summary>
internal sealed class BatchLoop(InferenceEngine engine, int maxSequences, int maxRows) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Queue<RunningSequence> _waiting = new();
    private readonly List<RunningSequence> _running = [];
    private readonly SemaphoreSlim _engineFree = new(1, 1);
    private Task _loop = Task.CompletedTask;
    private bool _active, _disposed;

    public void Submit(IEnumerable<RunningSequence> sequences)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            foreach (var sequence in sequences)
                _waiting.Enqueue(sequence);
            if (_active || _waiting.Count == 0)
                return;
            _active = true;
            _loop = Task.Run(Work);
        }
    }

    /// <summary>Runs something else on the engine, between two steps.</summary>
    public void Exclusively(Action<InferenceEngine> action, CancellationToken cancel)
    {
        _engineFree.Wait(cancel);
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            action(engine);
        }
        finally
        {
            _engineFree.Release();
        }
    }

    public void Dispose()
    {
        Task loop;
        lock (_gate)
        {
            if (_disposed)
                return;
            _disposed = true;
            loop = _loop;
        }
        loop.Wait();
        _engineFree.Dispose();
    }

    private void Work()
    {
        while (Admit())
        {
            _engineFree.Wait();
            try
            {
                Step();
            }
            catch (Exception e)
            {
                // A step fails for all of its sequences: half of a step cannot be told from a whole one.
                FailAll(e);
            }
            finally
            {
                _engineFree.Release();
            }
        }
    }

    /// <summary>Fills the batch up. False when there is nothing left to do.</summary>
    private bool Admit()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                _running.AddRange(_waiting);
                _waiting.Clear();
                FailAll(new ObjectDisposedException(nameof(LocalModel)));
            }
            while (_running.Count < maxSequences && _waiting.TryDequeue(out var next))
            {
                next.Cache ??= engine.NewCache();
                _running.Add(next);
            }
            return _active = _running.Count > 0;
        }
    }

    private void Step()
    {
        _running.RemoveAll(sequence =>
        {
            if (!sequence.Cancel.IsCancellationRequested)
                return false;
            sequence.Fail(new OperationCanceledException(sequence.Cancel));
            return true;
        });
        // Single tokens first: a long prompt does not hold up those who are answering.
        var (inputs, sequences) = (new List<SequenceInput>(), new List<RunningSequence>());
        var room = maxRows;
        foreach (var sequence in _running.OrderBy(s => s.Waiting > 1))
        {
            if (room == 0)
                break;
            var ids = sequence.Next(room);
            room -= ids.Length;
            inputs.Add(new(sequence.Cache!, ids, ids.Length == sequence.Waiting ? LogitsWanted.Last : LogitsWanted.None));
            sequences.Add(sequence);
        }
        if (inputs.Count == 0)
            return;
        var complete = new HashSet<RunningSequence>();
        engine.Run(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(inputs), (index, _, logits) =>
        {
            try
            {
                if (sequences[index].Choose(logits, engine.Config.ContextLength))
                    complete.Add(sequences[index]);
            }
            catch (Exception e)
            {
                // What one sequence cannot choose is no fault of its neighbours.
                sequences[index].Fail(e);
                complete.Add(sequences[index]);
            }
        });
        _running.RemoveAll(complete.Contains);
    }

    private void FailAll(Exception error)
    {
        foreach (var sequence in _running)
            sequence.Fail(error);
        _running.Clear();
    }
}
