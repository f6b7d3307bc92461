using Attune.Torch.Models;
using Attune.Torch.Native;

namespace Attune.Torch.Kernels;

/// <summary><see cref="DecoderBlock"/> in three sweeps over chunks of tokens, each on all threads.</summary>
internal static unsafe class BlockForward
{
    /// <summary>x [N, D] → y [M, D], filling <paramref name="saved"/>.</summary>
    public static void Run(BlockShape s, BlockWeights w, RowPlan plan, RotaryTable rotary, NeededRows? needed, float* x, BlockSaved saved, float* y)
    {
        Span<nint> parts = stackalloc nint[2];
        var band = (long)AttentionKernel.Band * plan.Longest;
        var wide = (long)BlockShape.Chunk * (s.D + s.F + (needed is null ? 0 : s.Queries));
        Scratch.Cut([band * WorkerPool.Workers, wide * WorkerPool.Workers], parts);
        float* scores = (float*)parts[0], chunks = (float*)parts[1];

        var before = BlockShape.Cut(s.N);
        WorkerPool.Run(before.Count, (slice, worker) =>
        {
            var (from, count) = before[slice];
            Project(s, w, plan, rotary, x, saved, from, count, chunks + wide * worker);
        });

        var bands = AttentionBands(plan);
        WorkerPool.Run(bands.Length * s.H, (item, worker) =>
        {
            var (row, from, to) = bands[item / s.H];
            AttentionKernel.Forward(s, saved, row, from, to, item % s.H, scores + band * worker);
        });

        var behind = BlockShape.Cut(s.M);
        WorkerPool.Run(behind.Count, (slice, worker) =>
        {
            var (from, count) = behind[slice];
            FeedForward(s, w, needed, x, saved, y, from, count, chunks + wide * worker);
        });
    }

    /// <summary>RMSNorm, queries, keys and values, rotary positions.</summary>
    private static void Project(BlockShape s, BlockWeights w, RowPlan plan, RotaryTable rotary, float* x, BlockSaved saved, int from, int count, float* normal)
    {
        for (var i = 0; i < count; i++)
            RmsNormKernel.Forward(x + (long)(from + i) * s.D, w.InputNorm, normal + (long)i * s.D, s.D, s.Epsilon);

        var qkv = saved.Qkv + (long)from * s.Qkv;
        var (q, kv) = (s.Queries, s.K * s.C);
        Gemm.NT(count, q, s.D, normal, s.D, w.Query, s.D, qkv, s.Qkv);
        Gemm.NT(count, kv, s.D, normal, s.D, w.Key, s.D, qkv + q, s.Qkv);
        Gemm.NT(count, kv, s.D, normal, s.D, w.Value, s.D, qkv + q + kv, s.Qkv);
        Turn(s, plan, rotary, qkv, from, count, 1);
    }

    /// <summary>Turns the queries and keys of a chunk by their positions, or back.</summary>
    internal static void Turn(BlockShape s, RowPlan plan, RotaryTable rotary, float* qkv, int from, int count, float direction)
    {
        var half = s.C / 2;
        fixed (float* cos = rotary.Cos, sin = rotary.Sin)
        {
            for (var i = 0; i < count; i++)
            {
                var at = plan.Positions[from + i] * half;
                for (var head = 0; head < s.H + s.K; head++)
                    RotaryKernel.Turn(qkv + (long)i * s.Qkv + head * s.C, cos + at, sin + at, half, direction);
            }
        }
    }

    /// <summary>Output matrix and residual, RMSNorm, SwiGLU and residual.</summary>
    private static void FeedForward(BlockShape s, BlockWeights w, NeededRows? needed, float* x, BlockSaved saved, float* y, int from, int count, float* work)
    {
        float* normal = work, gated = normal + (long)BlockShape.Chunk * s.D, attended = gated + (long)BlockShape.Chunk * s.F;
        float* middle = saved.Middle + (long)from * s.D, output = y + (long)from * s.D;
        float* gate = saved.Gate + (long)from * s.F, up = saved.Up + (long)from * s.F;

        if (needed is null)
        {
            attended = saved.Attended + (long)from * s.Queries;
            Simd.Copy(x + (long)from * s.D, middle, (long)count * s.D);
        }
        else
        {
            needed.Gather(saved.Attended, attended, from, count, s.Queries);
            needed.Gather(x, middle, from, count, s.D);
        }
        Gemm.NT(count, s.D, s.Queries, attended, s.Queries, w.Output, s.Queries, middle, s.D, beta: 1);
        for (var i = 0; i < count; i++)
            RmsNormKernel.Forward(middle + (long)i * s.D, w.PostAttentionNorm, normal + (long)i * s.D, s.D, s.Epsilon);

        Gemm.NT(count, s.F, s.D, normal, s.D, w.Gate, s.D, gate, s.F);
        Gemm.NT(count, s.F, s.D, normal, s.D, w.Up, s.D, up, s.F);
        SwiGluKernel.Forward(gate, up, gated, count * s.F);
        Simd.Copy(middle, output, (long)count * s.D);
        Gemm.NT(count, s.D, s.F, gated, s.F, w.Down, s.F, output, s.D, beta: 1);
    }

    private static (StreamRow Row, int From, int To)[] AttentionBands(RowPlan plan)
    {
        var bands = new List<(StreamRow, int, int)>();
        foreach (var row in plan.LongestFirst)
        {
            for (var from = 0; from < row.Length; from += AttentionKernel.Band)
                bands.Add((row, from, Math.Min(row.Length, from + AttentionKernel.Band)));
        }
        return [.. bands];
    }
}
