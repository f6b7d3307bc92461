namespace Attune.Inference;

/// <summary>One sequence on its way through the <see cref="BatchLoop"/>.</summary>
internal sealed class RunningSequence
{
    private readonly List<int> _ids;
    private readonly int _prompt;
    private readonly GenerationOptions _options;
    private readonly IReadOnlyList<int> _stopIds;
    private readonly Sampler _sampler;
    private readonly TextStream _stream;
    private readonly Action<string>? _onText;
    private readonly TaskCompletionSource<Generation> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="prompt">All ids of the prompt.</param>
    /// <param name="cache">A cache of a conversation that holds the beginning of the prompt, or null for a fresh one.</param>
    /// <param name="options">How to generate.</param>
    /// <param name="stopIds">Tokens that end it.</param>
    /// <param name="index">Index of the sequence within its call, for its random stream.</param>
    /// <param name="stream">Turns its tokens to text.</param>
    /// <param name="onText">Gets text as it becomes certain, on the loop's thread.</param>
    /// <param name="cancel">Ends it early.</param>
    public RunningSequence(IReadOnlyList<int> prompt, KvCache? cache, GenerationOptions options, IReadOnlyList<int> stopIds, int index, TextStream stream, Action<string>? onText, CancellationToken cancel)
    {
        _ids = [.. prompt];
        _prompt = prompt.Count;
        (Cache, OwnsCache) = (cache, cache is null);
        (_options, _stopIds, _stream, _onText, Cancel) = (options, stopIds, stream, onText, cancel);
        _sampler = new Sampler(options.Sampling, index);
    }

    public KvCache? Cache { get; set; }

    public bool OwnsCache { get; }

    public CancellationToken Cancel { get; }

    public Task<Generation> Done => _done.Task;

    /// <summary>The prompt and what was chosen so far.</summary>
    public IReadOnlyList<int> Ids => _ids;

    /// <summary>Tokens that are not in the cache yet: the rest of the prompt, or the last choice.</summary>
    public int Waiting => _ids.Count - Cache!.Length;

    public ReadOnlyMemory<int> Next(int most)
    {
        var take = Math.Min(Waiting, most);
        return _ids.GetRange(Cache!.Length, take).ToArray();
    }

    /// <summary>Chooses a token from the logits after the last one. True when the sequence is complete.</summary>
    public bool Choose(Span<float> logits, int window)
    {
        var id = _sampler.Next(logits, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_ids));
        _ids.Add(id);
        if (_stopIds.Contains(id))
            return Complete(FinishReason.StopToken);
        Give(_stream.Append(id));
        if (_stream.Stopped)
            return Complete(FinishReason.StopText);
        if (_ids.Count - _prompt >= _options.MaxTokens)
            return Complete(FinishReason.MaxTokens);
        return _ids.Count >= window && Complete(FinishReason.WindowFull);
    }

    public void Fail(Exception error)
    {
        Release();
        if (error is OperationCanceledException)
            _done.TrySetCanceled(Cancel);
        else
            _done.TrySetException(error);
    }

    private bool Complete(FinishReason reason)
    {
        Give(_stream.Finish());
        Release();
        _done.TrySetResult(new Generation(_stream.Text, _ids.GetRange(_prompt, _ids.Count - _prompt), _stream.Stopped ? FinishReason.StopText : reason, _prompt));
        return true;
    }

    private void Release()
    {
        if (OwnsCache)
            Cache?.Dispose();
    }

    private void Give(string text)
    {
        if (text.Length > 0)
            _onText?.Invoke(text);
    }
}
