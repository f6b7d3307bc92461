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

    /// <summary>Writes softmax(q·kᵀ/√C)·v and log Σ exp for the queries [from, to) of a row, which see its prefix and itself.</summary>
    public static void Forward(BlockShape shape, BlockSaved saved, StreamRow row, int from, int to, int head, float* scores)
    {
        var (width, c, prefix, seen) = (shape.Qkv, shape.C, row.Prefix, row.Prefix + to);
        var group = head / (shape.H / shape.K);
        var queries = saved.Qkv + (long)(row.Start + from) * width + head * c;
        var keys = saved.Qkv + (long)row.Start * width + (shape.H + group) * c;
        var values = keys + shape.K * c;
        var before = saved.Qkv + (long)row.PrefixStart * width + (shape.H + group) * c;
        var output = saved.Attended + (long)(row.Start + from) * shape.Queries + head * c;

        if (prefix > 0)
            Gemm.NT(to - from, prefix, c, queries, width, before, width, scores, seen, alpha: 1f / MathF.Sqrt(c));
        Gemm.NT(to - from, to, c, queries, width, keys, width, scores + prefix, seen, alpha: 1f / MathF.Sqrt(c));
        for (var i = from; i < to; i++)
        {
            var line = scores + (long)(i - from) * seen;
            var most = Simd.Max(line, prefix + i + 1);
            var sum = Simd.ExpInPlace(line, prefix + i + 1, most);
            Simd.Scale(line, prefix + i + 1, 1 / sum);
            Simd.Clear(line + prefix + i + 1, to - i - 1);
            saved.LogSum[(long)(row.Start + i) * shape.H + head] = most + MathF.Log(sum);
        }
        Gemm.NN(to - from, c, to, scores + prefix, seen, values, width, output, shape.Queries);
        if (prefix > 0)
            Gemm.NN(to - from, c, prefix, scores, seen, before + shape.K * c, width, output, shape.Queries, beta: 1);
    }

    /// <summary>
    /// Gradients of one key and value head, with the query heads that share it, over a whole row; those of its prefix are added
    /// to what is there. From dO: P = exp(S − log Σ), dV = Pᵀ·dO, dS = P∘(dO·Vᵀ − rowsum(dO∘O))/√C, dQ = dS·K, dK = dSᵀ·Q.
    /// </summary>
    /// <param name="shape">Sizes.</param>
    /// <param name="saved">From forward.</param>
    /// <param name="row">The row; the one that its prefix is of has been taken before.</param>
    /// <param name="group">The key and value head.</param>
    /// <param name="dAttended">dO, [N, H·C].</param>
    /// <param name="dQkv">[N, Qkv], written.</param>
    /// <param name="scores">Working memory: 2 · Band · what the last token sees.</param>
    public static void Backward(BlockShape shape, BlockSaved saved, StreamRow row, int group, float* dAttended, float* dQkv, float* scores)
    {
        var (width, c, perGroup, prefix) = (shape.Qkv, shape.C, shape.H / shape.K, row.Prefix);
        var scale = 1f / MathF.Sqrt(c);
        var keyColumn = (shape.H + group) * c;
        var valueColumn = keyColumn + shape.K * c;
        float* first = saved.Qkv + (long)row.Start * width, dFirst = dQkv + (long)row.Start * width;
        float* before = saved.Qkv + (long)row.PrefixStart * width, dBefore = dQkv + (long)row.PrefixStart * width;
        float* keys = first + keyColumn, values = first + valueColumn, dKeys = dFirst + keyColumn, dValues = dFirst + valueColumn;
        var dScores = scores + (long)Band * row.Reach;
        for (var i = 0; i < row.Length; i++)
        {
            Simd.Clear(dKeys + (long)i * width, c);
            Simd.Clear(dValues + (long)i * width, c);
        }

        for (var head = group * perGroup; head < (group + 1) * perGroup; head++)
        {
            for (var from = 0; from < row.Length; from += Band)
            {
                var to = Math.Min(row.Length, from + Band);
                var (count, seen) = (to - from, prefix + to);
                var queries = first + (long)from * width + head * c;
                var dQueries = dFirst + (long)from * width + head * c;
                var output = saved.Attended + (long)(row.Start + from) * shape.Queries + head * c;
                var dOutput = dAttended + (long)(row.Start + from) * shape.Queries + head * c;

                if (prefix > 0)
                {
                    Gemm.NT(count, prefix, c, queries, width, before + keyColumn, width, scores, seen, alpha: scale);
                    Gemm.NT(count, prefix, c, dOutput, shape.Queries, before + valueColumn, width, dScores, seen);
                }
                Gemm.NT(count, to, c, queries, width, keys, width, scores + prefix, seen, alpha: scale);
                Gemm.NT(count, to, c, dOutput, shape.Queries, values, width, dScores + prefix, seen);
                for (var i = from; i < to; i++)
                {
                    float* p = scores + (long)(i - from) * seen, ds = dScores + (long)(i - from) * seen;
                    var logSum = saved.LogSum[(long)(row.Start + i) * shape.H + head];
                    var drop = Simd.Dot(dOutput + (long)(i - from) * shape.Queries, output + (long)(i - from) * shape.Queries, c);
                    SoftmaxKernel.Backward(p, ds, prefix + i + 1, logSum, drop, scale);
                    Simd.Clear(p + prefix + i + 1, to - i - 1);
                    Simd.Clear(ds + prefix + i + 1, to - i - 1);
                }
                Gemm.TN(to, c, count, scores + prefix, seen, dOutput, shape.Queries, dValues, width, beta: 1);
                Gemm.NN(count, c, to, dScores + prefix, seen, keys, width, dQueries, width);
                Gemm.TN(to, c, count, dScores + prefix, seen, queries, width, dKeys, width, beta: 1);
                if (prefix > 0)
                {
                    Gemm.TN(prefix, c, count, scores, seen, dOutput, shape.Queries, dBefore + valueColumn, width, beta: 1);
                    Gemm.NN(count, c, prefix, dScores, seen, before + keyColumn, width, dQueries, width, beta: 1);
                    Gemm.TN(prefix, c, count, dScores, seen, queries, width, dBefore + keyColumn, width, beta: 1);
                }
            }
        }
    }
}
