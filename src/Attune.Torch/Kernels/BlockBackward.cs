using Attune.Torch.Models;
using Attune.Torch.Native;

namespace Attune.Torch.Kernels;

/// <summary>
/// The gradient of <see cref="BlockForward"/>: the feed-forward half tile by tile, attention row by row, the projections
/// tile by tile. Inside a tile, first every chunk's gradients on all threads, then the matrices' gradients, cut by rows of
/// the matrix, so that no two threads write the same number and sums have a fixed order.
/// </summary>
internal static unsafe class BlockBackward
{
    /// <summary>dY [M, D] → dX [N, D] and the gradients of the parameters that <paramref name="d"/> names.</summary>
    public static void Run(BlockShape s, BlockWeights w, BlockWeights d, RowPlan plan, RotaryTable rotary, NeededRows? needed, float* x, BlockSaved saved, float* dY, float* dX)
    {
        Span<nint> parts = stackalloc nint[13];
        var (tile, picked) = (Math.Min(s.N, s.Tile), needed is null ? 0 : 1);
        var band = 2L * AttentionKernel.Band * plan.Longest;
        var (tiles, tilesBehind, perTile) = (s.Tiles(s.N), s.Tiles(s.M), Slices.Most(tile, BlockShape.Chunk, WorkerPool.Workers));
        // Every slice adds up the gradient of a norm for itself.
        var (sums, sumsBehind) = (tiles.Count * perTile, tilesBehind.Count * perTile);
        Scratch.Cut(
            [
                (long)s.N * s.Queries, (long)s.N * s.Qkv, (long)s.M * s.D,
                (long)tile * s.D, (long)tile * s.F, (long)tile * s.F, (long)tile * s.F,
                band * WorkerPool.Workers, (long)(sumsBehind + sums) * s.D, (long)BlockShape.Chunk * s.D * WorkerPool.Workers,
                (long)picked * s.N * s.D, (long)picked * tile * s.Queries, (long)picked * tile * s.Queries,
            ], parts);
        float* dAttended = (float*)parts[0], dQkv = (float*)parts[1], dMiddle = (float*)parts[2];
        float* normal = (float*)parts[3], gated = (float*)parts[4], dGate = (float*)parts[5], dUp = (float*)parts[6];
        float* scores = (float*)parts[7], dNorms = (float*)parts[8], dNormal = (float*)parts[9];
        float* dInput = (float*)parts[10], pickedAttended = (float*)parts[11], dPickedAttended = (float*)parts[12];
        Simd.Clear(dNorms, (long)(sumsBehind + sums) * s.D);
        if (needed is null)
        {
            dInput = dMiddle;
        }
        else
        {
            Simd.Clear(dAttended, (long)s.N * s.Queries);
            Simd.Clear(dInput, (long)s.N * s.D);
        }

        for (var t = 0; t < tilesBehind.Count; t++)
        {
            var (first, count) = tilesBehind[t];
            var slices = BlockShape.Cut(count);
            var ownSums = dNorms + (long)t * perTile * s.D;
            // What attention gave and its gradient: in place, or picked out of the stream and put back.
            var attended = needed is null ? saved.Attended + (long)first * s.Queries : pickedAttended;
            var dGiven = needed is null ? dAttended + (long)first * s.Queries : dPickedAttended;
            WorkerPool.Run(slices.Count, (slice, worker) =>
            {
                var (offset, n) = slices[slice];
                var at = first + offset;
                float* dMiddleHere = dMiddle + (long)at * s.D, dGivenHere = dGiven + (long)offset * s.Queries;
                FeedForwardChunk(s, w, saved, dY, at, n, normal + (long)offset * s.D, gated + (long)offset * s.F, dGate + (long)offset * s.F, dUp + (long)offset * s.F,
                    dMiddleHere, dGivenHere, dNormal + (long)BlockShape.Chunk * s.D * worker, ownSums + (long)slice * s.D);
                if (needed is not null)
                {
                    needed.Gather(saved.Attended, attended + (long)offset * s.Queries, at, n, s.Queries);
                    needed.Scatter(dGivenHere, dAttended, at, n, s.Queries);
                    needed.Scatter(dMiddleHere, dInput, at, n, s.D);
                }
            });
            MatrixGradient.Run(count, first > 0,
            [
                new(d.Down, dY + (long)first * s.D, s.D, s.D, gated, s.F, s.F),
                new(d.Gate, dGate, s.F, s.F, normal, s.D, s.D),
                new(d.Up, dUp, s.F, s.F, normal, s.D, s.D),
                new(d.Output, dMiddle + (long)first * s.D, s.D, s.D, attended, s.Queries, s.Queries),
            ]);
        }

        WorkerPool.Run(plan.Families.Length * s.K, (item, worker) =>
        {
            foreach (var row in plan.Families[item / s.K])
                AttentionKernel.Backward(s, saved, row, item % s.K, dAttended, dQkv, scores + band * worker);
        });

        var (q, kv) = (s.Queries, s.K * s.C);
        for (var t = 0; t < tiles.Count; t++)
        {
            var (first, count) = tiles[t];
            var slices = BlockShape.Cut(count);
            var ownSums = dNorms + (long)(sumsBehind + t * perTile) * s.D;
            WorkerPool.Run(slices.Count, (slice, worker) =>
            {
                var (offset, n) = slices[slice];
                var at = first + offset;
                BlockForward.Turn(s, plan, rotary, dQkv + (long)at * s.Qkv, at, n, -1);
                ProjectionChunk(s, w, x, dQkv + (long)at * s.Qkv, dInput, dX, at, n, normal + (long)offset * s.D,
                    dNormal + (long)BlockShape.Chunk * s.D * worker, ownSums + (long)slice * s.D);
            });
            var gradients = dQkv + (long)first * s.Qkv;
            MatrixGradient.Run(count, first > 0,
            [
                new(d.Query, gradients, s.Qkv, q, normal, s.D, s.D),
                new(d.Key, gradients + q, s.Qkv, kv, normal, s.D, s.D),
                new(d.Value, gradients + q + kv, s.Qkv, kv, normal, s.D, s.D),
            ]);
        }
        SumInOrder(dNorms, sumsBehind, s.D, d.PostAttentionNorm);
        SumInOrder(dNorms + (long)sumsBehind * s.D, sums, s.D, d.InputNorm);
    }

    /// <summary>From dY to the gradient of what attention gave, with what the matrices' gradients need.</summary>
    private static void FeedForwardChunk(BlockShape s, BlockWeights w, BlockSaved saved, float* dY, int at, int n,
        float* normal, float* gated, float* dGate, float* dUp, float* dMiddle, float* dAttended, float* dNormal, float* dNorm)
    {
        var dOut = dY + (long)at * s.D;
        var middle = saved.Middle + (long)at * s.D;
        Gemm.NN(n, s.F, s.D, dOut, s.D, w.Down, s.F, dUp, s.F); // the gradient of gate·up, replaced by that of up
        SwiGluKernel.Backward(saved.Gate + (long)at * s.F, saved.Up + (long)at * s.F, dUp, dGate, dUp, gated, n * s.F);
        Gemm.NN(n, s.D, s.F, dGate, s.F, w.Gate, s.D, dNormal, s.D);
        Gemm.NN(n, s.D, s.F, dUp, s.F, w.Up, s.D, dNormal, s.D, beta: 1);

        Simd.Copy(dOut, dMiddle, (long)n * s.D);
        for (var i = 0L; i < n; i++)
        {
            RmsNormKernel.Forward(middle + i * s.D, w.PostAttentionNorm, normal + i * s.D, s.D, s.Epsilon);
            RmsNormKernel.Backward(middle + i * s.D, w.PostAttentionNorm, dNormal + i * s.D, dMiddle + i * s.D, dNorm, s.D, s.Epsilon);
        }
        Gemm.NN(n, s.Queries, s.D, dMiddle, s.D, w.Output, s.Queries, dAttended, s.Queries);
    }

    /// <summary>From the gradients of queries, keys and values to dX.</summary>
    private static void ProjectionChunk(BlockShape s, BlockWeights w, float* x, float* dQkv, float* dInput, float* dX, int at, int n, float* normal, float* dNormal, float* dNorm)
    {
        var (q, kv) = (s.Queries, s.K * s.C);
        Gemm.NN(n, s.D, q, dQkv, s.Qkv, w.Query, s.D, dNormal, s.D);
        Gemm.NN(n, s.D, kv, dQkv + q, s.Qkv, w.Key, s.D, dNormal, s.D, beta: 1);
        Gemm.NN(n, s.D, kv, dQkv + q + kv, s.Qkv, w.Value, s.D, dNormal, s.D, beta: 1);

        float* input = x + (long)at * s.D, output = dX + (long)at * s.D;
        Simd.Copy(dInput + (long)at * s.D, output, (long)n * s.D);
        for (var i = 0L; i < n; i++)
        {
            RmsNormKernel.Forward(input + i * s.D, w.InputNorm, normal + i * s.D, s.D, s.Epsilon);
            RmsNormKernel.Backward(input + i * s.D, w.InputNorm, dNormal + i * s.D, output + i * s.D, dNorm, s.D, s.Epsilon);
        }
    }

    /// <summary>Adds up one row for each chunk, first to last.</summary>
    internal static void SumInOrder(float* rows, int count, int size, float* sum)
    {
        if (sum is null)
            return;
        Simd.Copy(rows, sum, size);
        for (var i = 1; i < count; i++)
            Simd.Add(rows + (long)i * size, sum, size);
    }
}
