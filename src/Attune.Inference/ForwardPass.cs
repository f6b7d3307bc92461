using Attune.Inference.Kernels;

namespace Attune.Inference;

/// <summary>
/// One trip of up to MaxRows tokens through the layers. Legend: M rows of the step, D hidden, H heads, K key-value
/// heads, C head size, F feed-forward, V vocabulary. The workers share a step in one of two ways. Where there are enough
/// rows, each takes whole sequences through all layers alone and they never wait. Otherwise they share every product
/// by columns and meet at a barrier wherever one reads what another wrote. Both give the same bits.
/// </summary>
internal sealed unsafe class ForwardPass : IDisposable
{
    // Logits of a few rows at a time: V may be 150,000.
    private const int LogitRows = 32;

    // Sixteen rows do enough with a weight to pay for fetching it; weights that stay in the caches cost next to nothing.
    private const int RowsWorthTheirWeights = 16;
    private const long CachedBytes = 8 << 20;

    private readonly DecoderWeights _weights;
    private readonly WorkerPool _pool;
    private readonly Attention _attention;
    private readonly Action<int> _layers, _head;
    private readonly NativeFloats _x, _h, _qkv, _attended, _gateUp, _logits;
    private readonly Rotary _rotary;
    private readonly int[] _ids;
    private readonly List<Segment> _segments = [];
    private readonly List<(int Input, int Position, int Row)> _wanted = [];
    private readonly List<Segment>[] _ofWorker;
    private readonly bool _small;
    private int _firstWanted, _wantedCount;
    private bool _apart;

    public ForwardPass(DecoderWeights weights, int workers, int maxRows)
    {
        _weights = weights;
        _pool = new WorkerPool(workers);
        _attention = new Attention(weights, workers);
        _rotary = new Rotary(weights.Config, maxRows);
        (_layers, _head) = (Layers, Head);
        _ofWorker = [.. Enumerable.Range(0, workers).Select(_ => new List<Segment>())];
        _small = weights.Config.Parameters * sizeof(float) <= CachedBytes;
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
        _apart = Divide();
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

    /// <summary>Gives each worker neighbouring sequences with about the same number of rows. False where that is not even, or not worth it.</summary>
    private bool Divide()
    {
        var workers = _pool.Workers;
        if (workers == 1 || Rows < workers * (_small ? 1 : RowsWorthTheirWeights))
            return false;
        foreach (var list in _ofWorker)
            list.Clear();
        foreach (var segment in _segments)
            _ofWorker[(int)((segment.First + segment.Count / 2L) * workers / Rows)].Add(segment);
        return _ofWorker.Max(list => list.Sum(s => s.Count)) <= 1.3 * Rows / workers;
    }

    private void Layers(int worker)
    {
        var (segments, share, shares) = _apart ? (_ofWorker[worker], 0, 1) : (_segments, worker, _pool.Workers);
        if (segments.Count == 0)
            return;
        var w = _weights;
        var (d, f, qkvWidth) = (w.Width, w.FeedForwardWidth, w.QueryWidth + 2 * w.KeyValueWidth);
        var first = (nint)segments[0].First;
        var m = segments[^1].First + segments[^1].Count - (int)first;
        var (from, to) = ((int)first + m * share / shares, (int)first + m * (share + 1) / shares);
        float* x_MD = _x.Pointer + first * d, h_MD = _h.Pointer + first * d, qkv = _qkv.Pointer + first * qkvWidth;
        float* attended = _attended.Pointer + first * w.QueryWidth, gateUp = _gateUp.Pointer + first * 2 * f;

        for (var row = from; row < to; row++)
            w.Embedding.CopyRow(_ids[row], _x.Pointer + (nint)row * d);
        for (var i = 0; i < w.Layers.Length; i++)
        {
            var layer = w.Layers[i];
            Norm(layer.InputNorm, from, to);
            Meet();
            layer.QueryKeyValue.Multiply(h_MD, d, m, qkv, qkvWidth, add: false, share, shares);
            Meet();
            _attention.RotateAndStore(i, _qkv.Pointer, _rotary, segments, share, shares);
            Meet();
            _attention.Attend(i, _qkv.Pointer, _attended.Pointer, segments, share, shares, worker);
            Meet();
            layer.Output.Multiply(attended, w.QueryWidth, m, x_MD, d, add: true, share, shares);
            Meet();
            Norm(layer.FeedForwardNorm, from, to);
            Meet();
            layer.GateUp.Multiply(h_MD, d, m, gateUp, 2 * f, add: false, share, shares);
            Meet();
            // Columns are shared out, not rows: a single token has work for everyone.
            var (left, right) = (f / Tile.Width * share / shares * Tile.Width, f / Tile.Width * (share + 1) / shares * Tile.Width);
            for (nint row = 0; row < m; row++)
                Elementwise.SwiGlu(gateUp + row * 2 * f + left, gateUp + row * 2 * f + f + left, right - left);
            Meet();
            layer.Down.Multiply(gateUp, 2 * f, m, x_MD, d, add: true, share, shares);
            Meet();
        }
    }

    private void Meet()
    {
        if (!_apart)
            _pool.Barrier();
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
        var (from, to) = (m * worker / workers, m * (worker + 1) / workers);
        for (var i = from; i < to; i++)
        {
            var row = (nint)_wanted[_firstWanted + i].Row;
            Elementwise.RmsNorm(_x.Pointer + row * d, w.FinalNorm.Pointer, _h.Pointer + (nint)i * d, w.Config.HiddenSize, d, (float)w.Config.NormEpsilon);
        }
        var stride = w.Head.PaddedRows;
        if (m >= workers * (_small ? 1 : RowsWorthTheirWeights))
        {
            if (to > from)
                w.Head.Multiply(_h.Pointer + (nint)from * d, d, to - from, _logits.Pointer + (nint)from * stride, stride, add: false, 0, 1);
            return;
        }
        _pool.Barrier();
        w.Head.Multiply(_h.Pointer, d, m, _logits.Pointer, stride, add: false, worker, workers);
    }
}
