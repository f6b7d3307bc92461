using Attune.Inference.Kernels;

namespace Attune.Inference;

/// <summary>
/// One trip of up to MaxRows tokens through the layers. Legend: M rows of the step, D hidden, H heads, K key-value
/// heads, C head size, F feed-forward, V vocabulary. All workers run <see cref="Layers"/> together; a barrier stands
/// wherever one part reads what another wrote.
/// </summary>
internal sealed unsafe class ForwardPass : IDisposable
{
    // Logits of a few rows at a time: V may be 150,000.
    private const int LogitRows = 32;

    private readonly DecoderWeights _weights;
    private readonly WorkerPool _pool;
    private readonly Attention _attention;
    private readonly Action<int> _layers, _head;
    private readonly NativeFloats _x, _h, _qkv, _attended, _gateUp, _logits;
    private readonly Rotary _rotary;
    private readonly int[] _ids;
    private readonly List<Segment> _segments = [];
    private readonly List<(int Input, int Position, int Row)> _wanted = [];
    private int _firstWanted, _wantedCount;

    public ForwardPass(DecoderWeights weights, int workers, int maxRows)
    {
        _weights = weights;
        _pool = new WorkerPool(workers);
        _attention = new Attention(weights, workers);
        _rotary = new Rotary(weights.Config, maxRows);
        (_layers, _head) = (Layers, Head);
        _ids = new int[maxRows];
        _x = new NativeFloats((long)maxRows * weights.Width);
        _h = new NativeFloats((long)maxRows * weights.Width);
        _qkv = new NativeFloats((long)maxRows * (weights.QueryWidth + 2 * weights.KeyValueWidth));
        _attended = new NativeFloats((long)maxRows * weights.QueryWidth);
        _gateUp = new NativeFloats((long)maxRows * 2 * weights.FeedForwardWidth);
        _logits = new NativeFloats((long)Math.Min(LogitRows, maxRows) * weights.Head.PaddedRows);
    }

    /// <summary>Tokens of one sequence within the step: rows [First, First + Count) at positions from Position on.</summary>
    internal readonly record struct Segment(KvCache Cache, int First, int Count, int Position);

    public int Workers => _pool.Workers;

    public int Rows { get; private set; }

    public void Clear()
    {
        Rows = 0;
        _segments.Clear();
        _wanted.Clear();
    }

    /// <summary>Takes <paramref name="count"/> tokens of an input into the step.</summary>
    public void Add(int index, in SequenceInput input, int start, int count)
    {
        var position = input.Cache.Length;
        input.Cache.Reserve(position + count);
        _segments.Add(new(input.Cache, Rows, count, position));
        input.Cache.Advance(count);
        for (var i = 0; i < count; i++)
        {
            _ids[Rows + i] = input.Ids.Span[start + i];
            _rotary.Set(Rows + i, position + i);
            if (input.Wanted == LogitsWanted.All || (input.Wanted == LogitsWanted.Last && start + i == input.Ids.Length - 1))
                _wanted.Add((index, start + i, Rows + i));
        }
        Rows += count;
    }

    /// <summary>Runs the step and empties it.</summary>
    public void Execute(LogitsReader reader)
    {
        _attention.Prepare(_segments);
        _pool.Run(_layers);
        var stride = _weights.Head.PaddedRows;
        for (_firstWanted = 0; _firstWanted < _wanted.Count; _firstWanted += _wantedCount)
        {
            _wantedCount = Math.Min(_wanted.Count - _firstWanted, Math.Min(LogitRows, _ids.Length));
            _pool.Run(_head);
            for (var i = 0; i < _wantedCount; i++)
            {
                var (input, position, _) = _wanted[_firstWanted + i];
                reader(input, position, new Span<float>(_logits.Pointer + (nint)i * stride, _weights.Config.VocabularySize));
            }
        }
        Clear();
    }

    public void Dispose()
    {
        _pool.Dispose();
        _attention.Dispose();
        _rotary.Dispose();
        foreach (var buffer in (NativeFloats[])[_x, _h, _qkv, _attended, _gateUp, _logits])
            buffer.Dispose();
    }

    private void Layers(int worker)
    {
        var w = _weights;
        var (m, d, f, workers) = (Rows, w.Width, w.FeedForwardWidth, _pool.Workers);
        var (from, to) = (m * worker / workers, m * (worker + 1) / workers);
        float* x_MD = _x.Pointer, h_MD = _h.Pointer, qkv = _qkv.Pointer, attended = _attended.Pointer, gateUp = _gateUp.Pointer;
        int qkvWidth = w.QueryWidth + 2 * w.KeyValueWidth;

        for (var row = from; row < to; row++)
            w.Embedding.CopyRow(_ids[row], x_MD + (nint)row * d);
        for (var i = 0; i < w.Layers.Length; i++)
        {
            var layer = w.Layers[i];
            Norm(layer.InputNorm, from, to);
            _pool.Barrier();
            layer.QueryKeyValue.Multiply(h_MD, d, m, qkv, qkvWidth, add: false, worker, workers);
            _pool.Barrier();
            _attention.RotateAndStore(i, qkv, _rotary, _segments, worker, workers);
            _pool.Barrier();
            _attention.Attend(i, qkv, attended, _segments, worker, workers);
            _pool.Barrier();
            layer.Output.Multiply(attended, w.QueryWidth, m, x_MD, d, add: true, worker, workers);
            _pool.Barrier();
            Norm(layer.FeedForwardNorm, from, to);
            _pool.Barrier();
            layer.GateUp.Multiply(h_MD, d, m, gateUp, 2 * f, add: false, worker, workers);
            _pool.Barrier();
            // Columns are shared out, not rows: a single token has work for everyone.
            var (first, last) = (f / Tile.Width * worker / workers * Tile.Width, f / Tile.Width * (worker + 1) / workers * Tile.Width);
            for (nint row = 0; row < m; row++)
                Elementwise.SwiGlu(gateUp + row * 2 * f + first, gateUp + row * 2 * f + f + first, last - first);
            _pool.Barrier();
            layer.Down.Multiply(gateUp, 2 * f, m, x_MD, d, add: true, worker, workers);
            _pool.Barrier();
        }
    }

    private void Norm(NativeFloats weight, int from, int to)
    {
        nint d = _weights.Width;
        for (nint row = from; row < to; row++)
            Elementwise.RmsNorm(_x.Pointer + row * d, weight.Pointer, _h.Pointer + row * d, _weights.Config.HiddenSize, (int)d, (float)_weights.Config.NormEpsilon);
    }

    private void Head(int worker)
    {
        var (w, d, m, workers) = (_weights, _weights.Width, _wantedCount, _pool.Workers);
        for (var i = m * worker / workers; i < m * (worker + 1) / workers; i++)
        {
            var row = (nint)_wanted[_firstWanted + i].Row;
            Elementwise.RmsNorm(_x.Pointer + row * d, w.FinalNorm.Pointer, _h.Pointer + (nint)i * d, w.Config.HiddenSize, d, (float)w.Config.NormEpsilon);
        }
        _pool.Barrier();
        w.Head.Multiply(_h.Pointer, d, m, _logits.Pointer, w.Head.PaddedRows, add: false, worker, workers);
    }
}
