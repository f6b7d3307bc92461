using Attune.Torch.Native;

namespace Attune.Torch.Kernels;

/// <summary>
/// Causal attention of one head over one row, a band of queries at a time. A band of queries meets the keys up to its own
/// last one, so of the square of scores little more than the causal half is computed; scores of a band live in working
/// memory and are computed again in backward (Dao et al. 2022, FlashAttention, without its tiling over keys, which the
/// caches of a CPU do not need).
/// </summary>
internal static unsafe class AttentionKernel
{
    /// <summary>Queries in a band: a multiple of what MKL's kernels take at once, small enough that little is wasted on the diagonal.</summary>
    public const int Band = 48;

    /// <summary>Writes softmax(q·kᵀ/√C)·v and log Σ exp for the queries [from, to) of the row that starts at token <paramref name="start"/>.</summary>
    public static void Forward(BlockShape shape, BlockSaved saved, int start, int from, int to, int head, float* scores)
    {
        var (width, c) = (shape.Qkv, shape.C);
        var group = head / (shape.H / shape.K);
        var queries = saved.Qkv + (long)(start + from) * width + head * c;
        var keys = saved.Qkv + (long)start * width + (shape.H + group) * c;
        var values = keys + shape.K * c;
        var output = saved.Attended + (long)(start + from) * shape.Queries + head * c;

        Gemm.NT(to - from, to, c, queries, width, keys, width, scores, to, alpha: 1f / MathF.Sqrt(c));
        for (var i = from; i < to; i++)
        {
            var row = scores + (long)(i - from) * to;
            var most = Simd.Max(row, i + 1);
            var sum = Simd.ExpInPlace(row, i + 1, most);
            Simd.Scale(row, i + 1, 1 / sum);
            Simd.Clear(row + i + 1, to - i - 1);
            saved.LogSum[(long)(start + i) * shape.H + head] = most + MathF.Log(sum);
        }
        Gemm.NN(to - from, c, to, scores, to, values, width, output, shape.Queries);
    }

    /// <summary>
    /// Gradients of one key and value head, with the query heads that share it, over a whole row. From dO:
    /// P = exp(S − log Σ), dV = Pᵀ·dO, dS = P∘(dO·Vᵀ − rowsum(dO∘O))/√C, dQ = dS·K, dK = dSᵀ·Q.
    /// </summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="saved">From forward.</param>
    /// <param name="start">First token of the row.</param>
    /// <param name="length">Tokens of the row.</param>
    /// <param name="group">The key and value head.</param>
    /// <param name="dAttended">dO, [N, H·C].</param>
    /// <param name="dQkv">[N, Qkv], written.</param>
    /// <param name="scores">Working memory: 2 · Band · length.</param>
    public static void Backward(BlockShape shape, BlockSaved saved, int start, int length, int group, float* dAttended, float* dQkv, float* scores)
    {
        var (width, c, perGroup) = (shape.Qkv, shape.C, shape.H / shape.K);
        var scale = 1f / MathF.Sqrt(c);
        var keyColumn = (shape.H + group) * c;
        var valueColumn = keyColumn + shape.K * c;
        float* row = saved.Qkv + (long)start * width, dRow = dQkv + (long)start * width;
        float* keys = row + keyColumn, values = row + valueColumn, dKeys = dRow + keyColumn, dValues = dRow + valueColumn;
        var dScores = scores + (long)Band * length;
        for (var i = 0; i < length; i++)
        {
            Simd.Clear(dKeys + (long)i * width, c);
            Simd.Clear(dValues + (long)i * width, c);
        }

        for (var head = group * perGroup; head < (group + 1) * perGroup; head++)
        {
            for (var from = 0; from < length; from += Band)
            {
                var to = Math.Min(length, from + Band);
                var count = to - from;
                var queries = row + (long)from * width + head * c;
                var output = saved.Attended + (long)(start + from) * shape.Queries + head * c;
                var dOutput = dAttended + (long)(start + from) * shape.Queries + head * c;

                Gemm.NT(count, to, c, queries, width, keys, width, scores, to, alpha: scale);
                Gemm.NT(count, to, c, dOutput, shape.Queries, values, width, dScores, to);
                for (var i = from; i < to; i++)
                {
                    float* p = scores + (long)(i - from) * to, ds = dScores + (long)(i - from) * to;
                    var logSum = saved.LogSum[(long)(start + i) * shape.H + head];
                    var drop = Simd.Dot(dOutput + (long)(i - from) * shape.Queries, output + (long)(i - from) * shape.Queries, c);
                    SoftmaxKernel.Backward(p, ds, i + 1, logSum, drop, scale);
                    Simd.Clear(p + i + 1, to - i - 1);
                    Simd.Clear(ds + i + 1, to - i - 1);
                }
                Gemm.TN(to, c, count, scores, to, dOutput, shape.Queries, dValues, width, beta: 1);
                Gemm.NN(count, c, to, dScores, to, keys, width, dRow + (long)from * width + head * c, width);
                Gemm.TN(to, c, count, dScores, to, queries, width, dKeys, width, beta: 1);
            }
        }
    }
}
