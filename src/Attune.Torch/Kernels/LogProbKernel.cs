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

    /// <summary>Writes log-probabilities and, where it is not null, what <see cref="Gradients"/> can begin from.</summary>
    /// <param name="logProbs">[N], written at labelled rows.</param>
    /// <param name="softmax">[M, V], written; null where not wanted.</param>
    public void LogProbs(float* logProbs, float* softmax) => Run(logProbs, null, null, null, softmax, known: false);

    /// <summary>Writes log-probabilities and, while the logits are there, the gradients of their sum.</summary>
    /// <inheritdoc cref="Run"/>
    public void LogProbsAndGradients(float* logProbs, float* dHidden, float* dHead) => Run(logProbs, null, dHidden, dHead, null, known: false);

    /// <summary>Writes the gradients of Σ weight·log p, from the softmax that was kept, or, where it is null, from the logits computed again.</summary>
    /// <inheritdoc cref="Run"/>
    public void Gradients(float* softmax, float* weights, float* dHidden, float* dHead) => Run(null, weights, dHidden, dHead, softmax, known: softmax is not null);

    /// <summary>∂/∂logits = weight·(1[target] − softmax).</summary>
    /// <param name="logProbs">[N], written at labelled rows; null where not wanted.</param>
    /// <param name="weights">[N], read at labelled rows; null means one each.</param>
    /// <param name="dHidden">[N, D], written at labelled rows; null where not wanted.</param>
    /// <param name="dHead">[V, D], written; null where not wanted.</param>
    /// <param name="softmax">[M, V], read where it is known, written where not; null for neither.</param>
    /// <param name="known">Whether <paramref name="softmax"/> is there.</param>
    private void Run(float* logProbs, float* weights, float* dHidden, float* dHead, float* softmax, bool known)
    {
        if (labelled.Length == 0)
            return;
        Span<nint> parts = stackalloc nint[3];
        var tile = Math.Min(labelled.Length, rowsAtATime > 0 ? rowsAtATime : 8 * _chunk);
        Scratch.Cut([(long)tile * vocabulary, (long)tile * size, (long)_chunk * size * WorkerPool.Workers], parts);
        float* logits = (float*)parts[0], rows = (float*)parts[1], dRows = (float*)parts[2];

        var tiles = new Slices(labelled.Length, tile);
        for (var piece = 0; piece < tiles.Count; piece++)
        {
            var (first, count) = tiles[piece];
            var slices = new Slices(count, _chunk, WorkerPool.Workers);
            WorkerPool.Run(slices.Count, (slice, worker) =>
            {
                var (offset, n) = slices[slice];
                var at = first + offset;
                float* rowsHere = rows + (long)offset * size, logitsHere = logits + (long)offset * vocabulary;
                for (var i = 0; i < n; i++)
                    Simd.Copy(hidden + (long)labelled[at + i] * size, rowsHere + (long)i * size, size);
                var probabilities = softmax is null ? logitsHere : softmax + (long)at * vocabulary;
                if (!known)
                {
                    Gemm.NT(n, vocabulary, size, rowsHere, size, head, size, probabilities, vocabulary);
                    Softmax(at, n, probabilities, logProbs);
                }
                if (dHidden is not null || dHead is not null)
                    LogitGradients(at, n, probabilities, logitsHere, weights);
                if (dHidden is not null)
                    HiddenGradients(at, n, logitsHere, dRows + (long)_chunk * size * worker, dHidden);
            });
            MatrixGradient.Run(count, first > 0, [new(dHead, logits, vocabulary, vocabulary, rows, size, size)]);
        }
    }

    /// <summary>Logits become probabilities, in place.</summary>
    private void Softmax(int at, int count, float* logits, float* logProbs)
    {
        for (var i = 0; i < count; i++)
        {
            var line = logits + (long)i * vocabulary;
            var (most, chosen) = (Simd.Max(line, vocabulary), line[targets[at + i]]);
            var sum = Simd.ExpInPlace(line, vocabulary, most);
            if (logProbs is not null)
                logProbs[labelled[at + i]] = (float)(chosen - most - Math.Log(sum));
            Simd.Scale(line, vocabulary, 1 / sum);
        }
    }

    private void LogitGradients(int at, int count, float* softmax, float* dLogits, float* weights)
    {
        for (var i = 0; i < count; i++)
        {
            var weight = weights is null ? 1 : weights[labelled[at + i]];
            var line = dLogits + (long)i * vocabulary;
            Simd.ScaleTo(softmax + (long)i * vocabulary, line, vocabulary, -weight);
            line[targets[at + i]] += weight;
        }
    }

    private void HiddenGradients(int at, int count, float* dLogits, float* dRows, float* dHidden)
    {
        Gemm.NN(count, size, vocabulary, dLogits, vocabulary, head, size, dRows, size);
        for (var i = 0; i < count; i++)
            Simd.Copy(dRows + (long)i * size, dHidden + (long)labelled[at + i] * size, size);
    }
}
