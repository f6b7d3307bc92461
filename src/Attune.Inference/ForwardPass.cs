using Attune.Core.Checkpoints;
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
    private readonly NativeFloats _x, _h, _part, _qkv, _attended, _gateUp, _logits;
    private readonly Dictionary<LayerRotation, Rotary> _rotary = [];
    private readonly Rotary?[] _rotaryOf;
    private readonly int[] _ids, _positions;
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
        foreach (var kind in Enumerable.Range(0, weights.Config.Layers).Select(weights.Config.RotationOf).Distinct())
        {
            if (RotaryFrequencies.Of(weights.Config, kind) is { } frequencies)
                _rotary[kind] = new Rotary(frequencies, maxRows);
        }
        _rotaryOf = [.. Enumerable.Range(0, weights.Config.Layers).Select(i => _rotary.GetValueOrDefault(weights.Config.RotationOf(i)))];
        (_layers, _head) = (Layers, Head);
        _ofWorker = [.. Enumerable.Range(0, workers).Select(_ => new List<Segment>())];
        _small = weights.Config.Parameters * sizeof(float) <= CachedBytes;
        (_ids, _positions) = (new int[maxRows], new int[maxRows]);
        _x = new NativeFloats((long)maxRows * weights.Width);
        _h = new NativeFloats((long)maxRows * weights.Width);
        _part = new NativeFloats(weights.Layers.All(l => l.AttentionIsDirect && l.FeedForwardIsDirect) ? 0 : (long)maxRows * weights.Width);
        _qkv = new NativeFloats((long)maxRows * (weights.QueryWidth + 2 * weights.KeyValueWidth));
        _attended = new NativeFloats((long)maxRows * weights.QueryWidth);
        _gateUp = new NativeFloats((long)maxRows * weights.InnerWidth);
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
        input.Cache.Advance(input.Ids.Span.Slice(start, count));
        for (var i = 0; i < count; i++)
        {
            _ids[Rows + i] = input.Ids.Span[start + i];
            _positions[Rows + i] = position + i;
            foreach (var rotary in _rotary.Values)
                rotary.Set(Rows + i, position + i, input.Cache.IsLong);
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
                var logits = new Span<float>(_logits.Pointer + (nint)i * stride, _weights.Config.VocabularySize);
                if (_weights.Config.LogitSoftCap is { } cap)
                    Activations.SoftCap(logits, (float)cap);
                reader(input, position, logits);
            }
        }
        Clear();
    }

    public void Dispose()
    {
        _pool.Dispose();
        _attention.Dispose();
        foreach (var rotary in _rotary.Values)
            rotary.Dispose();
        foreach (var buffer in (NativeFloats[])[_x, _h, _part, _qkv, _attended, _gateUp, _logits])
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
        var (d, f, inner, qkvWidth) = (w.Width, w.FeedForwardWidth, w.InnerWidth, w.QueryWidth + 2 * w.KeyValueWidth);
        var first = (nint)segments[0].First;
        var m = segments[^1].First + segments[^1].Count - (int)first;
        var (from, to) = ((int)first + m * share / shares, (int)first + m * (share + 1) / shares);
        float* x_MD = _x.Pointer + first * d, h_MD = _h.Pointer + first * d, part_MD = _part.Pointer + first * d, qkv = _qkv.Pointer + first * qkvWidth;
        float* attended = _attended.Pointer + first * w.QueryWidth, gateUp = _gateUp.Pointer + first * inner;

        for (var row = from; row < to; row++)
            Embed(row);
        for (var i = 0; i < w.Layers.Length; i++)
        {
            var layer = w.Layers[i];
            // Rows: what attention reads. Where a product goes on from a bias, the bias is put there before.
            for (nint row = from; row < to; row++)
            {
                Norm(layer.AttentionNorm, row);
                Put(layer.QueryKeyValueBias, _qkv, row, qkvWidth);
                Put(layer.OutputBias, layer.AttentionIsDirect ? null : _part, row, d);
            }
            Meet();
            layer.QueryKeyValue.Multiply(h_MD, d, m, qkv, qkvWidth, add: layer.QueryKeyValueBias is not null, share, shares);
            Meet();
            if (w.Config.QueryKeyNorm == QueryKeyNorm.Whole)
            {
                _attention.NormWhole(layer, _qkv.Pointer, from, to);
                Meet();
            }
            _attention.RotateAndStore(i, _qkv.Pointer, _rotaryOf[i], segments, share, shares);
            Meet();
            _attention.Attend(i, _qkv.Pointer, _attended.Pointer, segments, share, shares, worker);
            Meet();
            layer.Output.Multiply(attended, w.QueryWidth, m, layer.AttentionIsDirect ? x_MD : part_MD, d, add: layer.AttentionIsDirect || layer.OutputBias is not null, share, shares);
            Meet();
            // Rows: attention joins the stream; what the feed-forward layer reads, before that where the two stand side by side.
            for (nint row = from; row < to; row++)
            {
                if (!w.Config.ParallelResidual)
                    Join(layer.AttentionIsDirect, layer.AttentionOutNorm, row);
                if (w.Config.NormPlacement != NormPlacement.Shared)
                    Norm(layer.FeedForwardNorm, row);
                if (w.Config.ParallelResidual)
                    Join(layer.AttentionIsDirect, layer.AttentionOutNorm, row);
                Put(layer.GateUpBias, _gateUp, row, inner);
                Put(layer.DownBias, layer.FeedForwardIsDirect ? null : _part, row, d);
            }
            Meet();
            layer.GateUp.Multiply(h_MD, d, m, gateUp, inner, add: layer.GateUpBias is not null, share, shares);
            Meet();
            // Columns are shared out, not rows: a single token has work for everyone.
            var (left, right) = (f / Tile.Width * share / shares * Tile.Width, f / Tile.Width * (share + 1) / shares * Tile.Width);
            for (nint row = 0; row < m; row++)
            {
                if (w.Config.GatedFeedForward)
                    Activations.Gated(w.Config.Activation, gateUp + row * inner + left, gateUp + row * inner + f + left, right - left);
                else
                    Activations.Plain(w.Config.Activation, gateUp + row * inner + left, right - left);
            }
            Meet();
            layer.Down.Multiply(gateUp, inner, m, layer.FeedForwardIsDirect ? x_MD : part_MD, d, add: layer.FeedForwardIsDirect || layer.DownBias is not null, share, shares);
            Meet();
            for (nint row = from; row < to; row++)
                Join(layer.FeedForwardIsDirect, layer.FeedForwardOutNorm, row);
        }
    }

    /// <summary>The token's row, scaled where the model does, and the position's where it has a table of them.</summary>
    private void Embed(int row)
    {
        var w = _weights;
        var x = _x.Pointer + (nint)row * w.Width;
        w.Embedding.CopyRow(_ids[row], x);
        if (w.Config.EmbeddingScale is { } scale)
            Elementwise.Scale(x, (float)scale, w.Width);
        if (w.Positions is { } positions)
            Elementwise.AddScaled(positions.Pointer + (nint)_positions[row] * w.Width, x, 1, w.Width);
    }

    /// <summary>h = norm(x), or x itself where there is no norm.</summary>
    private void Norm(NormWeights? norm, nint row)
    {
        nint d = _weights.Width;
        if (norm is null)
            Elementwise.Copy(_x.Pointer + row * d, _h.Pointer + row * d, (int)d);
        else
            norm.Apply(_x.Pointer + row * d, _h.Pointer + row * d);
    }

    /// <summary>Puts a bias where a product will be added to it: into a buffer, or (null) into the residual stream.</summary>
    private void Put(NativeFloats? bias, NativeFloats? target, nint row, nint width)
    {
        if (bias is null)
            return;
        if (target is null)
            Elementwise.AddScaled(bias.Pointer, _x.Pointer + row * width, 1, (int)width);
        else
            Elementwise.Copy(bias.Pointer, target.Pointer + row * width, (int)width);
    }

    /// <summary>x += scale · norm(part), unless the product went into x directly.</summary>
    private void Join(bool direct, NormWeights? norm, nint row)
    {
        if (direct)
            return;
        nint d = _weights.Width;
        var part = _part.Pointer + row * d;
        norm?.Apply(part, part);
        Elementwise.AddScaled(part, _x.Pointer + row * d, (float)(_weights.Config.ResidualScale ?? 1), (int)d);
    }

    private void Meet()
    {
        if (!_apart)
            _pool.Barrier();
    }

    private void Head(int worker)
    {
        var (w, d, m, workers) = (_weights, _weights.Width, _wantedCount, _pool.Workers);
        var (from, to) = (m * worker / workers, m * (worker + 1) / workers);
        for (var i = from; i < to; i++)
        {
            var row = (nint)_wanted[_firstWanted + i].Row;
            w.FinalNorm.Apply(_x.Pointer + row * d, _h.Pointer + (nint)i * d);
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
