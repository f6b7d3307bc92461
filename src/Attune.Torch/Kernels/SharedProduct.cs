using Attune.Torch.Native;

namespace Attune.Torch.Kernels;

/// <summary>A product on raw row-major float32 memory, cut for all threads: by rows, and where there are few of them by columns too.</summary>
internal static unsafe class SharedProduct
{
    /// <summary>C[m,n] = A[m,k]·B[n,k]ᵀ + β·C.</summary>
    public static void NT(int m, int n, int k, float* a, float* b, float* c, float beta) =>
        Cut(m, n, (row, rows, column, columns) => Gemm.NT(rows, columns, k, a + (long)row * k, k, b + (long)column * k, k, c + (long)row * n + column, n, beta: beta));

    /// <summary>C[m,n] = A[m,k]·B[k,n].</summary>
    public static void NN(int m, int n, int k, float* a, float* b, float* c) =>
        Cut(m, n, (row, rows, column, columns) => Gemm.NN(rows, columns, k, a + (long)row * k, k, b + column, n, c + (long)row * n + column, n));

    private static void Cut(int m, int n, Action<int, int, int, int> piece)
    {
        var rows = BlockShape.Cut(m);
        var columns = new Slices(n, rows.Count >= WorkerPool.Workers ? n : Math.Max(Panel512.Columns, n / (2 * WorkerPool.Workers)));
        WorkerPool.Run(rows.Count * columns.Count, (item, _) =>
        {
            var (row, rowCount) = rows[item / columns.Count];
            var (column, columnCount) = columns[item % columns.Count];
            piece(row, rowCount, column, columnCount);
        });
    }
}
