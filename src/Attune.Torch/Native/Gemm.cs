using System.Runtime.InteropServices;
using TorchSharp;

namespace Attune.Torch.Native;

/// <summary>
/// Matrix products on raw row-major float32 memory, on the calling thread alone: MKL's sgemm, which libtorch carries
/// and exports. It saves the dispatcher, the allocation and the thread team that a libtorch call brings each time, which
/// is what makes small models slow. MKL is column-major: a row-major product C = A·B is its Cᵀ = Bᵀ·Aᵀ.
/// </summary>
internal static unsafe class Gemm
{
    private static readonly delegate* unmanaged[Cdecl]<byte*, byte*, int*, int*, int*, float*, float*, int*, float*, int*, float*, float*, int*, void> Sgemm;
    private static readonly delegate* unmanaged[Cdecl]<int, int> SetThreadsLocal;

    static Gemm()
    {
        // libtorch is loaded first, by TorchSharp, so the name finds the library that is there already.
        using var _ = torch.zeros(1);
        if (NativeLibrary.TryLoad("torch_cpu", typeof(torch).Assembly, null, out var library)
            && NativeLibrary.TryGetExport(library, "sgemm_", out var sgemm)
            && NativeLibrary.TryGetExport(library, "MKL_Set_Num_Threads_Local", out var threads))
        {
            Sgemm = (delegate* unmanaged[Cdecl]<byte*, byte*, int*, int*, int*, float*, float*, int*, float*, int*, float*, float*, int*, void>)sgemm;
            SetThreadsLocal = (delegate* unmanaged[Cdecl]<int, int>)threads;
        }
    }

    /// <summary>Whether this libtorch carries MKL; where it does not (ARM), models take the plain path.</summary>
    public static bool Available => Sgemm is not null;

    /// <summary>How many threads MKL may use for calls from this thread (0: its default). Returns what was set before.</summary>
    public static int ThreadsHere(int count) => SetThreadsLocal(count);

    /// <summary>C[m,n] = α·A[m,k]·B[n,k]ᵀ + β·C.</summary>
    public static void NT(int m, int n, int k, float* a, int lda, float* b, int ldb, float* c, int ldc, float alpha = 1, float beta = 0) =>
        Call((byte)'T', (byte)'N', n, m, k, alpha, b, ldb, a, lda, beta, c, ldc);

    /// <summary>C[m,n] = α·A[m,k]·B[k,n] + β·C.</summary>
    public static void NN(int m, int n, int k, float* a, int lda, float* b, int ldb, float* c, int ldc, float alpha = 1, float beta = 0) =>
        Call((byte)'N', (byte)'N', n, m, k, alpha, b, ldb, a, lda, beta, c, ldc);

    /// <summary>C[m,n] = α·A[k,m]ᵀ·B[k,n] + β·C.</summary>
    public static void TN(int m, int n, int k, float* a, int lda, float* b, int ldb, float* c, int ldc, float alpha = 1, float beta = 0) =>
        Call((byte)'N', (byte)'T', n, m, k, alpha, b, ldb, a, lda, beta, c, ldc);

    private static void Call(byte left, byte right, int m, int n, int k, float alpha, float* a, int lda, float* b, int ldb, float beta, float* c, int ldc) =>
        Sgemm(&left, &right, &m, &n, &k, &alpha, a, &lda, b, &ldb, &beta, c, &ldc);
}
