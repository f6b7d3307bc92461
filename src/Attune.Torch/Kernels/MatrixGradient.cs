using Attune.Torch.Native;

namespace Attune.Torch.Kernels;

/// <summary>dW[O, I] = dYᵀ·X, where dY is [n, O] with a stride and X is [n, I] with a stride; W null means not wanted.</summary>
internal readonly unsafe struct MatrixGradient(float* gradient, float* dY, int strideY, int outputs, float* x, int strideX, int inputs)
{
    /// <summary>Computes several at once, or adds to them, cut by rows of the matrices over all threads.</summary>
    public static void Run(int tokens, bool add, ReadOnlySpan<MatrixGradient> all)
    {
        var pieces = new List<(MatrixGradient, int)>();
        foreach (var one in all)
        {
            for (var row = 0; one.Wanted && row < one.Outputs; row += one.Rows)
                pieces.Add((one, row));
        }
        WorkerPool.Run(pieces.Count, (item, _) =>
        {
            var (one, row) = pieces[item];
            one.Piece(tokens, row, Math.Min(one.Rows, one.Outputs - row), add);
        });
    }

    private bool Wanted => gradient is not null;

    private int Outputs => outputs;

    /// <summary>Rows of one piece: an eighth of the matrix in steps of 64, since narrow strips of dY are read badly.</summary>
    private int Rows => BlockShape.GradientRows * Math.Max(1, Slices.Ceiling(outputs, 8 * BlockShape.GradientRows));

    private void Piece(int tokens, int row, int rows, bool add) =>
        Gemm.TN(rows, inputs, tokens, dY + row, strideY, x, strideX, gradient + (long)row * inputs, inputs, beta: add ? 1 : 0);
}
