using Attune.Core.Checkpoints;
using Attune.Inference.Kernels;

namespace Attune.Inference;

/// <summary>
/// Causal attention of a step's rows over the pages of their caches, softmax(q·Kᵀ/√C)·V, query heads sharing key-value
/// heads in groups; a sliding layer reads only the pages that its window reaches. The work is cut into tiles of up to six rows: the heads of a group for a single token, six tokens of
/// one head for a prompt.
/// </summary>
internal sealed unsafe class Attention(DecoderWeights weights, int workers) : IDisposable
{
    private readonly int _group = weights.Config.Heads / weights.Config.KeyValueHeads;
    private readonly int _headWidth = weights.HeadWidth;
    private readonly int _qkvWidth = weights.QueryWidth + 2 * weights.KeyValueWidth;
    private readonly float _scale = (float)(weights.Config.AttentionScale ?? 1 / Math.Sqrt(weights.Config.HeadSize));
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

    /// <summary>Norms all queries of a row together, and all keys (OLMo 2): for these, rows are shared out and not heads.</summary>
    public void NormWhole(DecoderWeights.Layer layer, float* qkv, int from, int to)
    {
        for (var row = from; row < to; row++)
        {
            var queries = qkv + (nint)row * _qkvWidth;
            layer.QueryNorm!.Apply(queries, queries);
            layer.KeyNorm!.Apply(queries + weights.QueryWidth, queries + weights.QueryWidth);
        }
    }

    /// <summary>Norms queries and keys where each head has that done alone, turns them by their positions, and puts keys and values into the caches.</summary>
    public void RotateAndStore(int layer, float* qkv, Rotary? rotary, List<ForwardPass.Segment> segments, int share, int shares)
    {
        var heads = weights.Config.KeyValueHeads;
        var (queryNorm, keyNorm) = weights.Config.QueryKeyNorm == QueryKeyNorm.PerHead ? (weights.Layers[layer].QueryNorm, weights.Layers[layer].KeyNorm) : (null, null);
        foreach (var segment in segments)
        {
            var items = segment.Count * heads;
            for (var item = items * share / shares; item < items * (share + 1) / shares; item++)
            {
                var (token, head) = (item / heads, item % heads);
                var row = segment.First + token;
                var queries = qkv + (nint)row * _qkvWidth + (nint)head * _group * _headWidth;
                for (nint i = 0; i < _group; i++)
                {
                    queryNorm?.Apply(queries + i * _headWidth, queries + i * _headWidth);
                    rotary?.Apply(queries + i * _headWidth, row);
                }
                var key = qkv + (nint)row * _qkvWidth + weights.QueryWidth + (nint)head * _headWidth;
                keyNorm?.Apply(key, key);
                rotary?.Apply(key, row);
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
        var (size, cache, window) = (weights.Config.HeadSize, segment.Cache, weights.Config.WindowOf(layer) ?? int.MaxValue);
        // Scores stand from the first page that the first row's window reaches.
        var (longest, first) = (visible + (rows - 1) * grows, Math.Max(0, visible - window) / page * page);
        var scores = _scores!.Pointer + (nint)worker * Tile.MaxRows * _scoreStride;
        for (var start = first; start < longest; start += page)
        {
            var panels = (Math.Min(page, longest - start) + Tile.Width - 1) / Tile.Width;
            Tile.Multiply(queries, queryStride, rows, cache.Keys(start / page, layer, head), (nint)_headWidth * Tile.Width, panels, size, scores + start - first, _scoreStride, add: false);
        }
        var inverse = stackalloc float[Tile.MaxRows];
        for (var i = 0; i < rows; i++)
        {
            var row = scores + (nint)i * _scoreStride;
            var seen = visible + i * grows;
            if (weights.Config.AttentionSoftCap is { } cap)
                Activations.SoftCap(row, Tile.Padded(longest - first), _scale, (float)cap);
            for (var k = seen - window - first - 1; k >= 0; k--)
                row[k] = float.NegativeInfinity;
            inverse[i] = Elementwise.Softmax(row, seen - first, Tile.Padded(longest - first), weights.Config.AttentionSoftCap is null ? _scale : 1);
        }
        for (var start = first; start < longest; start += page)
        {
            Tile.Multiply(scores + start - first, _scoreStride, rows, cache.Values(start / page, layer, head), page * Tile.Width, _headWidth / Tile.Width,
                Math.Min(page, longest - start), target, targetStride, add: start > first);
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
