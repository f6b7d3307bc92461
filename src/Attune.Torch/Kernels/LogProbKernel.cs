using Attune.Torch.Native;

namespace Attune.Torch.Kernels;

/// <summary>
/// log softmax(h · Wᵀ)[target] and its gradients for the labelled rows of a batch, a tile of rows at a time: logits of a tile
/// live in working memory and nowhere else.
/// </summary>
/// <param name="hidden">[N, D].</param>
/// <param name="head">[V, D].</param>
/// <param name="labelled">M indices of rows of <paramref name="hidden"/>.</param>
/// <param name="targets">Their labels, M.</param>
/// <param name="size">D.</param>
/// <param name="vocabulary">V.</param>
/// <param name="rowsAtATime">Rows whose logits exist at a time; 0 for eight million logits at most.</param>
internal sealed unsafe class LogProbKernel(float* hidden, float* head, int[] labelled, int[] targets, int size, int vocabulary, int rowsAtATime)
{
    /// <summary>Rows of one piece of work: about a million logits, 16 to 128 rows.</summary>
    private readonly int _chunk = Math.Clamp((1 << 20) / vocabulary, 16, BlockShape.Chunk);

    /// <summary>
    /// Writes log-probabilities (where not null) and the gradients of Σ weight·log p: ∂/∂logits = weight·(1[target] − softmax).
    /// </summary>
    /// <param name="logProbs">[N], written at labelled rows.</param>
    /// <param name="weights">[N], read at labelled rows; null means one each.</param>
    /// <param name="dHidden">[N, D], written at labelled rows; null where not wanted.</param>
    /// <param name="dHead">[V, D], written; null where not wanted.</param>
    public void Run(float* logProbs, float* weights, float* dHidden, float* dHead)
    {
        Span<nint> parts = stackalloc nint[3];
        var tile = Math.Min(labelled.Length, rowsAtATime > 0 ? rowsAtATime : 8 * _chunk);
        Scratch.Cut([(long)tile * vocabulary, (long)tile * size, (long)_chunk * size * WorkerPool.Workers], parts);
        float* logits = (float*)parts[0], rows = (float*)parts[1], dRows = (float*)parts[2];

        for (var begin = 0; begin < labelled.Length; begin += tile)
        {
            var (first, count) = (begin, Math.Min(tile, labelled.Length - begin));
            WorkerPool.Run(BlockShape.Pieces(count, _chunk), (piece, worker) =>
            {
                var offset = piece * _chunk;
                Chunk(first + offset, Math.Min(_chunk, count - offset), logits + (long)offset * vocabulary, rows + (long)offset * size,
                    dRows + (long)_chunk * size * worker, logProbs, weights, dHidden, dHead is not null);
            });
            MatrixGradient.Run(count, first > 0, [new(dHead, logits, vocabulary, vocabulary, rows, size, size)]);
        }
    }

    private void Chunk(int first, int count, float* logits, float* rows, float* dRows, float* logProbs, float* weights, float* dHidden, bool keep)
    {
        for (var i = 0; i < count; i++)
            Simd.Copy(hidden + (long)labelled[first + i] * size, rows + (long)i * size, size);
        Gemm.NT(count, vocabulary, size, rows, size, head, size, logits, vocabulary);

        var gradient = keep || dHidden is not null;
        for (var i = 0; i < count; i++)
        {
            var (row, target) = (labelled[first + i], targets[first + i]);
            var line = logits + (long)i * vocabulary;
            var (most, chosen) = (Simd.Max(line, vocabulary), line[target]);
            var sum = Simd.ExpInPlace(line, vocabulary, most);
            if (logProbs is not null)
                logProbs[row] = (float)(chosen - most - Math.Log(sum));
            if (gradient)
            {
                var weight = weights is null ? 1 : weights[row];
                Simd.Scale(line, vocabulary, -weight / sum);
                line[target] += weight;
            }
        }
        if (dHidden is null)
            return;
        Gemm.NN(count, size, vocabulary, logits, vocabulary, head, size, dRows, size);
        for (var i = 0; i < count; i++)
            Simd.Copy(dRows + (long)i * size, dHidden + (long)labelled[first + i] * size, size);
    }
}
