using Attune.Torch.Kernels;
using Attune.Torch.Native;
using Xunit;

namespace Attune.Torch.Tests.Kernels;

/// <summary>Products against sums in double precision: sizes around every edge of tiles, panels and depths, rows apart, α and β.</summary>
public sealed unsafe class GemmTests
{
    private static readonly int[] Rows = [1, 2, 3, 4, 5, 7, 8, 11, 12, 13, 24, 31];
    private static readonly int[] Columns = [1, 2, 15, 16, 17, 31, 32, 33, 48, 70];
    private static readonly int[] Depths = [1, 3, 15, 16, 17, 64, 100, 511, 512, 513, 1030];

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Our_own_products_are_the_sums(bool turnedA, bool turnedB)
    {
        if (!Gemm512.Supported)
            return; // nothing calls it there
        foreach (var m in Rows)
        {
            foreach (var n in Columns)
            {
                foreach (var k in Depths)
                    new Case(m, n, k, turnedA, turnedB, 0.5f, (m + n + k) % 3 - 1).Check(Gemm512.Multiply);
            }
        }
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Those_of_Mkl_too(bool turnedA, bool turnedB)
    {
        if (!Mkl.Available)
            return;
        foreach (var (m, n, k) in ((int, int, int)[])[(1, 1, 1), (7, 33, 100), (24, 48, 513)])
            new Case(m, n, k, turnedA, turnedB, 2, 1).Check(Mkl.Multiply);
    }

    [Fact]
    public void What_the_house_multiplies_with_knows_its_three_forms()
    {
        if (!Gemm.Available)
            return;
        new Case(13, 33, 20, false, true, 0.5f, 1).Check((m, n, k, a, lda, _, b, ldb, _, c, ldc, alpha, beta) => Gemm.NT(m, n, k, a, lda, b, ldb, c, ldc, alpha, beta));
        new Case(13, 33, 20, false, false, 0.5f, 1).Check((m, n, k, a, lda, _, b, ldb, _, c, ldc, alpha, beta) => Gemm.NN(m, n, k, a, lda, b, ldb, c, ldc, alpha, beta));
        new Case(13, 33, 20, true, false, 0.5f, 1).Check((m, n, k, a, lda, _, b, ldb, _, c, ldc, alpha, beta) => Gemm.TN(m, n, k, a, lda, b, ldb, c, ldc, alpha, beta));
    }

    [Fact]
    public void Without_terms_only_what_was_there_counts()
    {
        if (Gemm512.Supported)
            new Case(5, 40, 0, false, false, 1, -1).Check(Gemm512.Multiply);
    }

    private delegate void Product(int m, int n, int k, float* a, int lda, bool turnedA, float* b, int ldb, bool turnedB, float* c, int ldc, float alpha, float beta);

    /// <summary>
    /// One product. Rows lie three numbers further apart than they are long. A and B end where their memory ends, and what
    /// lies between rows of C, and all of C where β is 0, is no number: whoever reads it shows.
    /// </summary>
    private sealed record Case(int M, int N, int K, bool TurnedA, bool TurnedB, float Alpha, float Beta)
    {
        private const int Apart = 3;

        public void Check(Product product)
        {
            var random = new Random(M + 100 * N + 10000 * K);
            var (a, lda) = Matrix(random, TurnedA ? K : M, TurnedA ? M : K);
            var (b, ldb) = Matrix(random, TurnedB ? N : K, TurnedB ? K : N);
            var (c, ldc) = Matrix(random, M, N);
            var wanted = new double[M, N];
            for (var i = 0; i < M; i++)
            {
                for (var j = 0; j < N; j++)
                {
                    for (var p = 0; p < K; p++)
                        wanted[i, j] += Alpha * (double)a[TurnedA ? p * lda + i : i * lda + p] * b[TurnedB ? j * ldb + p : p * ldb + j];
                    wanted[i, j] += Beta == 0 ? 0 : Beta * (double)c[i * ldc + j];
                    if (Beta == 0)
                        c[i * ldc + j] = float.NaN;
                }
            }
            fixed (float* at = a, bt = b, ct = c)
                product(M, N, K, at, lda, TurnedA, bt, ldb, TurnedB, ct, ldc, Alpha, Beta);
            for (var i = 0; i < M; i++)
            {
                for (var j = 0; j < ldc && i * ldc + j < c.Length; j++)
                {
                    if (j < N)
                        Assert.True(Math.Abs(c[i * ldc + j] - wanted[i, j]) < 1e-6 * (K + 4), $"{this}: {c[i * ldc + j]} at ({i}, {j}), {wanted[i, j]} wanted");
                    else
                        Assert.True(float.IsNaN(c[i * ldc + j]), $"{this}: wrote between rows {i} and {i + 1}");
                }
            }
        }

        private static (float[] Numbers, int Stride) Matrix(Random random, int rows, int columns)
        {
            var stride = columns + Apart;
            var numbers = new float[Math.Max(1, rows * stride - Apart)];
            Array.Fill(numbers, float.NaN);
            for (var i = 0; i < rows; i++)
            {
                for (var j = 0; j < columns; j++)
                    numbers[i * stride + j] = random.NextSingle() - 0.5f;
            }
            return (numbers, stride);
        }
    }
}
