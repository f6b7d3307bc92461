using Attune.Inference.Kernels;

namespace Attune.Inference;

/// <summary>
/// Causal attention of a step's rows over the pages of their caches, softmax(q·Kᵀ/√C)·V, query heads sharing key-value
/// heads in groups. The work is cut into tiles of up to six rows: the heads of a group for a single token, six tokens of
/// one head for a prompt.
/// </summary>
internal sealed unsafe class Attention(DecoderWeights weights, int workers) : IDisposable
{
    private readonly int _group = weights.Config.Heads / weights.Config.KeyValueHeads;
    private readonly int _headWidth = weights.HeadWidth;
    private readonly int _qkvWidth = weights.QueryWidth + 2 * weights.KeyValueWidth;
    private NativeFloats? _scores;
    private int _scoreStride;

    /// <summary>Makes room for the scores of the longest sequence.</summary>
    public void Prepare(IReadOnlyList<ForwardPass.Segment> segments)
    {
        var longest = segments.Max(s => s.Position + s.Count);
        if (longest <= _scoreStride)
            return;
        _scores?.Dispose();
        _scoreStride = (longest + 255) / 256 * 256;
        _scores = new NativeFloats((long)workers * Tile.MaxRows * _scoreStride);
    }

    /// <summary>Turns queries and keys by their positions, and puts keys and values into the caches.</summary>
    public void RotateAndStore(int layer, float* qkv, Rotary rotary, List<ForwardPass.Segment> segments, int share, int shares)
    {
        var heads = weights.Config.KeyValueHeads;
        foreach (var segment in segments)
        {
            var items = segment.Count * heads;
            for (var item = items * share / shares; item < items * (share + 1) / shares; item++)
            {
                var (token, head) = (item / heads, item % heads);
                var row = segment.First + token;
                var queries = qkv + (nint)row * _qkvWidth + (nint)head * _group * _headWidth;
                for (nint i = 0; i < _group; i++)
                    rotary.Apply(queries + i * _headWidth, row);
                var key = qkv + (nint)row * _qkvWidth + weights.QueryWidth + (nint)head * _headWidth;
                rotary.Apply(key, row);
                Store(segment.Cache, layer, head, segment.Position + token, key, key + weights.KeyValueWidth);
            }
        }
    }

    /// <summary>Writes the attended values [M, H·C] of this share; <paramref name="worker"/> says whose scratch space is used.</summary>
    public void Attend(int layer, float* qkv, float* attended, List<ForwardPass.Segment> segments, int share, int shares, int worker)
    {
        var item = 0;
        foreach (var segment in segments)
        {
            for (var head = 0; head < weights.Config.KeyValueHeads; head++)
            {
                for (var i = 0; segment.Count == 1 && i < _group; i += Tile.MaxRows)
                {
                    if (item++ % shares != share)
                        continue;
                    nint at = (nint)(head * _group + i) * _headWidth;
                    Heads(segment, layer, head, Math.Min(Tile.MaxRows, _group - i), qkv + (nint)segment.First * _qkvWidth + at, _headWidth,
                        attended + (nint)segment.First * weights.QueryWidth + at, _headWidth, segment.Position + 1, grows: 0, worker);
                }
                for (var i = 0; segment.Count > 1 && i < segment.Count; i += Tile.MaxRows)
                {
                    if (item++ % shares != share)
                        continue;
                    var row = (nint)(segment.First + i);
                    for (var query = head * _group; query < (head + 1) * _group; query++)
                    {
                        Heads(segment, layer, head, Math.Min(Tile.MaxRows, segment.Count - i), qkv + row * _qkvWidth + (nint)query * _headWidth, _qkvWidth,
                            attended + row * weights.QueryWidth + (nint)query * _headWidth, weights.QueryWidth, segment.Position + i + 1, grows: 1, worker);
                    }
                }
            }
        }
    }

    public void Dispose() => _scores?.Dispose();

    /// <summary>One tile: row i sees <paramref name="visible"/> + i · <paramref name="grows"/> positions.</summary>
    private void Heads(in ForwardPass.Segment segment, int layer, int head, int rows, float* queries, nint queryStride, float* target, nint targetStride, int visible, int grows, int worker)
    {
        const int page = KvCache.PagePositions;
        var (size, cache) = (weights.Config.HeadSize, segment.Cache);
        var scores = _scores!.Pointer + (nint)worker * Tile.MaxRows * _scoreStride;
        var longest = visible + (rows - 1) * grows;
        for (var start = 0; start < longest; start += page)
        {
            var panels = (Math.Min(page, longest - start) + Tile.Width - 1) / Tile.Width;
            Tile.Multiply(queries, queryStride, rows, cache.Keys(start / page, layer, head), (nint)_headWidth * Tile.Width, panels, size, scores + start, _scoreStride, add: false);
        }
        var inverse = stackalloc float[Tile.MaxRows];
        for (var i = 0; i < rows; i++)
            inverse[i] = Elementwise.Softmax(scores + (nint)i * _scoreStride, visible + i * grows, Tile.Padded(longest), 1 / MathF.Sqrt(size));
        for (var start = 0; start < longest; start += page)
        {
            Tile.Multiply(scores + start, _scoreStride, rows, cache.Values(start / page, layer, head), page * Tile.Width, _headWidth / Tile.Width,
                Math.Min(page, longest - start), target, targetStride, add: start > 0);
        }
        for (var i = 0; i < rows; i++)
            Elementwise.Scale(target + i * targetStride, inverse[i], _headWidth);
    }

    private void Store(KvCache cache, int layer, int head, int position, float* key, float* value)
    {
        var (page, slot) = (position / KvCache.PagePositions, position % KvCache.PagePositions);
        var keys = cache.Keys(page, layer, head) + (nint)(slot / Tile.Width) * _headWidth * Tile.Width + slot % Tile.Width;
        var values = cache.Values(page, layer, head) + (nint)slot * Tile.Width;
        for (nint c = 0; c < _headWidth; c++)
        {
            keys[c * Tile.Width] = key[c];
            values[c / Tile.Width * KvCache.PagePositions * Tile.Width + c % Tile.Width] = value[c];
        }
    }
}
