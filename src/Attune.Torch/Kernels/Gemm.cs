using Attune.Torch.Native;

namespace Attune.Torch.Kernels;

/// <summary>
/// Matrix products on raw row-major float32 memory, on the calling thread alone. MKL multiplies, but on processors that
/// have AVX-512 and are not Intel's our own kernel does: there MKL takes vectors of half the width, and half of the machine
/// would lie idle. Which of the two it is depends on the processor alone, so that equal machines give equal bits.
/// </summary>
internal static unsafe class Gemm
{
    /// <summary>Whether our own kernel multiplies.</summary>
    public static bool Own => Mkl.TakesHalf;

    /// <summary>Whether there is a product at all; where not (ARM), models take the plain path through libtorch.</summary>
    public static bool Available => Own || Mkl.Available;

    /// <summary>C[m,n] = α·A[m,k]·B[n,k]ᵀ + β·C.</summary>
    public static void NT(int m, int n, int k, float* a, int lda, float* b, int ldb, float* c, int ldc, float alpha = 1, float beta = 0) =>
        Multiply(m, n, k, a, lda, false, b, ldb, true, c, ldc, alpha, beta);

    /// <summary>C[m,n] = α·A[m,k]·B[k,n] + β·C.</summary>
    public static void NN(int m, int n, int k, float* a, int lda, float* b, int ldb, float* c, int ldc, float alpha = 1, float beta = 0) =>
        Multiply(m, n, k, a, lda, false, b, ldb, false, c, ldc, alpha, beta);

    /// <summary>C[m,n] = α·A[k,m]ᵀ·B[k,n] + β·C.</summary>
    public static void TN(int m, int n, int k, float* a, int lda, float* b, int ldb, float* c, int ldc, float alpha = 1, float beta = 0) =>
        Multiply(m, n, k, a, lda, true, b, ldb, false, c, ldc, alpha, beta);

    private static void Multiply(int m, int n, int k, float* a, int lda, bool turnedA, float* b, int ldb, bool turnedB, float* c, int ldc, float alpha, float beta)
    {
        if (Own)
            Gemm512.Multiply(m, n, k, a, lda, turnedA, b, ldb, turnedB, c, ldc, alpha, beta);
        else
            Mkl.Multiply(m, n, k, a, lda, turnedA, b, ldb, turnedB, c, ldc, alpha, beta);
    }
}
