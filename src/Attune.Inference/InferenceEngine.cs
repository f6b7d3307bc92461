using Attune.Core.Checkpoints;
using Attune.Inference.Kernels;

namespace Attune.Inference;

/// <summary>
/// Runs a decoder: tokens of any number of sequences in, logits out, with a key-value cache for each. A step takes
/// ragged input (prompts of some sequences, single tokens of others), so sequences join and leave as they please.
/// The logits of a sequence are the same bits whatever else is in the step, however its prompt was cut, and on any
/// number of threads: every sum runs in one fixed order (see <see cref="Tile"/>).
/// Not for use by several threads at once.
/// </summary>
public sealed class InferenceEngine : IDisposable
{
    private readonly DecoderWeights _weights;
    private readonly KvPages _pages;
    private readonly ForwardPass _pass;
    private readonly int _maxRows;

    /// <param name="weights">The model; not owned, and usable by other engines too.</param>
    /// <param name="options">Threads and sizes; null for defaults.</param>
    public InferenceEngine(DecoderWeights weights, EngineOptions? options = null)
    {
        options ??= new EngineOptions();
        if (options.MaxRows < 1)
            throw InferenceException.BadOption(nameof(options.MaxRows), "A step needs room for at least one token.");
        _weights = weights;
        _maxRows = options.MaxRows;
        _pages = new KvPages(Config.Layers, Config.KeyValueHeads, weights.HeadWidth);
        _pass = new ForwardPass(weights, options.Workers, options.MaxRows);
    }

    /// <summary>The model's shape.</summary>
    public DecoderConfig Config => _weights.Config;

    /// <summary>Threads that compute, and the width of their vectors in bits.</summary>
    public (int Threads, int VectorBits) Kernels => (_pass.Workers, Tile.VectorBits);

    /// <summary>An empty cache for one sequence.</summary>
    public KvCache NewCache() => new(_pages);

    /// <summary>Adds tokens to sequences and reads the logits that are wanted, inputs in order and positions in order.</summary>
    /// <exception cref="WindowOverflowException">ATT6002: a sequence would outgrow the window. Nothing was changed.</exception>
    /// <exception cref="InferenceException">ATT6003: an id that the model does not have. Nothing was changed.</exception>
    public void Run(ReadOnlySpan<SequenceInput> inputs, LogitsReader reader)
    {
        Check(inputs);
        _pass.Clear();
        foreach (var input in inputs)
            Turn(input);
        for (var i = 0; i < inputs.Length; i++)
        {
            var input = inputs[i];
            for (var done = 0; done < input.Ids.Length;)
            {
                var take = Math.Min(input.Ids.Length - done, _maxRows - _pass.Rows);
                _pass.Add(i, input, done, take);
                done += take;
                if (_pass.Rows == _maxRows)
                    _pass.Execute(reader);
            }
        }
        if (_pass.Rows > 0)
            _pass.Execute(reader);
    }

    /// <summary>The logits of a whole text: T rows of V numbers.</summary>
    public float[][] Forward(ReadOnlySpan<int> ids)
    {
        using var cache = NewCache();
        var logits = new float[ids.Length][];
        Run([new(cache, ids.ToArray(), LogitsWanted.All)], (_, position, row) => logits[position] = row.ToArray());
        return logits;
    }

    /// <summary>Stops the threads and frees the memory, the weights excepted.</summary>
    public void Dispose()
    {
        _pass.Dispose();
        _pages.Dispose();
    }

    /// <summary>
    /// A text that crosses longrope's original window, in either direction, turns by other frequencies from its first token
    /// on: what is in its cache is computed again, as transformers does.
    /// </summary>
    private void Turn(in SequenceInput input)
    {
        var (cache, isLong) = (input.Cache, input.Cache.Length + input.Ids.Length > _weights.LongBeyond);
        var before = cache.Length > 0 && cache.IsLong != isLong ? cache.Ids.ToArray() : [];
        if (before.Length > 0)
            cache.Truncate(0);
        cache.IsLong = isLong;
        for (var done = 0; done < before.Length; done += _maxRows)
        {
            _pass.Add(0, new(cache, before, LogitsWanted.None), done, Math.Min(before.Length - done, _maxRows));
            _pass.Execute(static (_, _, _) => { });
        }
    }

    private void Check(ReadOnlySpan<SequenceInput> inputs)
    {
        var seen = inputs.Length > 1 ? new HashSet<KvCache>(inputs.Length) : null;
        foreach (var input in inputs)
        {
            if (input.Cache.Owner != _pages || seen?.Add(input.Cache) == false)
                throw new ArgumentException("A cache belongs to another engine, or stands twice in one step.", nameof(inputs));
            if (input.Ids.IsEmpty)
                throw new ArgumentException("A sequence needs at least one new token.", nameof(inputs));
            if (input.Cache.Length + input.Ids.Length > Config.ContextLength)
                throw new WindowOverflowException(input.Cache.Length + input.Ids.Length, Config.ContextLength);
            foreach (var id in input.Ids.Span)
            {
                if ((uint)id >= (uint)Config.VocabularySize)
                    throw InferenceException.BadToken(id, Config.VocabularySize);
            }
        }
    }
}
