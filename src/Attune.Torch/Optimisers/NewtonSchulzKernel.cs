using Attune.Torch.Kernels;
using Attune.Torch.Native;

namespace Attune.Torch.Optimisers;

/// <summary>
/// The Newton–Schulz iteration on many small matrices: each from first to last on one thread, in memory that stays in its
/// caches, many threads at once. As batched products of libtorch it took a small model a third of its step.
/// </summary>
internal static unsafe class NewtonSchulzKernel
{
    // Beyond this a matrix, its image and two Gram matrices leave a core's second cache, and one thread is no longer enough.
    private const long MostElements = 1 << 18;

    /// <summary>Whether this is the faster way.</summary>
    /// <param name="count">Matrices.</param>
    /// <param name="rows">R.</param>
    /// <param name="columns">C.</param>
    public static bool Fits(long count, long rows, long columns) =>
        Gemm.Available && count >= WorkerPool.Workers && rows * columns <= MostElements;

    /// <summary>Orthogonalises <paramref name="count"/> wide matrices [R, C].</summary>
    /// <param name="matrices">They, one behind the other.</param>
    /// <param name="result">Where they go.</param>
    /// <param name="count">How many.</param>
    /// <param name="rows">R ≤ C.</param>
    /// <param name="columns">C.</param>
    /// <param name="steps">Iterations.</param>
    public static void Run(float* matrices, float* result, int count, int rows, int columns, int steps)
    {
        var size = rows * columns;
        Span<nint> parts = stackalloc nint[4 * WorkerPool.Workers];
        var lengths = new long[parts.Length];
        for (var i = 0; i < lengths.Length; i++)
            lengths[i] = i % 4 < 2 ? size : rows * rows;
        Scratch.Cut(lengths, parts);
        var memory = parts.ToArray();
        WorkerPool.Run(count, (item, worker) => One(
            matrices + (long)item * size, result + (long)item * size, rows, columns, steps,
            (float*)memory[4 * worker], (float*)memory[4 * worker + 1], (float*)memory[4 * worker + 2], (float*)memory[4 * worker + 3]));
    }

    private static void One(float* matrix, float* result, int rows, int columns, int steps, float* x, float* next, float* gram, float* polynomial)
    {
        var size = rows * columns;
        var norm = Math.Max((float)Math.Sqrt(GradientNorm.SquareSum(new(matrix, size))), NewtonSchulz.LeastNorm);
        Simd.ScaleTo(matrix, x, size, 1 / norm);
        for (var step = 0; step < steps; step++)
        {
            Gemm.NT(rows, rows, columns, x, columns, x, columns, gram, rows);
            Copy(gram, polynomial, rows * rows);
            Gemm.NN(rows, rows, rows, gram, rows, gram, rows, polynomial, rows, NewtonSchulz.C, NewtonSchulz.B);
            Copy(x, next, size);
            Gemm.NN(rows, columns, rows, polynomial, rows, x, columns, next, columns, 1, NewtonSchulz.A);
            var before = x;
            x = next;
            next = before;
        }
        Copy(x, result, size);
    }

    private static void Copy(float* from, float* to, int count) => new ReadOnlySpan<float>(from, count).CopyTo(new Span<float>(to, count));
}
