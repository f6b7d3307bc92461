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

        var after = dHidden is not null || dHead is not null ? After.Gradients : softmax is not null ? After.Softmax : After.Nothing;
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
                var softmaxHere = softmax is null ? null : softmax + (long)at * vocabulary;
                if (known)
                {
                    LogitGradients(at, n, softmaxHere, logitsHere, weights);
                }
                else
                {
                    var lines = softmaxHere is null ? logitsHere : softmaxHere;
                    Gemm.NT(n, vocabulary, size, rowsHere, size, head, size, lines, vocabulary);
                    Exponentials(at, n, lines, logProbs, weights, after);
                }
                if (dHidden is not null)
                    HiddenGradients(at, n, logitsHere, dRows + (long)_chunk * size * worker, dHidden);
            });
            MatrixGradient.Run(count, first > 0, [new(dHead, logits, vocabulary, vocabulary, rows, size, size)]);
        }
    }

    /// <summary>What the exponentials of a line of logits are scaled to, in one pass; where only their sum is asked for, they are left.</summary>
    private enum After
    {
        Nothing,
        Softmax,
        Gradients,
    }

    /// <summary>Logits become exponentials, and those what is asked for, in place.</summary>
    private void Exponentials(int at, int count, float* logits, float* logProbs, float* weights, After after)
    {
        for (var i = 0; i < count; i++)
        {
            var (row, target) = (labelled[at + i], targets[at + i]);
            var line = logits + (long)i * vocabulary;
            var (most, chosen) = (Simd.Max(line, vocabulary), line[target]);
            var sum = Simd.ExpInPlace(line, vocabulary, most);
            if (logProbs is not null)
                logProbs[row] = (float)(chosen - most - Math.Log(sum));
            if (after == After.Softmax)
                Simd.Scale(line, vocabulary, 1 / sum);
            if (after != After.Gradients)
                continue;
            var weight = weights is null ? 1 : weights[row];
            Simd.Scale(line, vocabulary, -weight / sum);
            line[target] += weight;
        }
    }

    /// <summary>The same gradients from a softmax that was kept.</summary>
    private void LogitGradients(int at, int count, float* softmax, float* dLogits, float* weights)
    {
        for (var i = 0; i < count; i++)
        {
            var weight = weights[labelled[at + i]];
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
