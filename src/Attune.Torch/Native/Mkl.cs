using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using TorchSharp;

namespace Attune.Torch.Native;

/// <summary>
/// MKL's sgemm, which libtorch carries and exports, on raw row-major float32 memory and on the calling thread alone. It
/// saves the dispatcher, the allocation and the thread team that a libtorch call brings each time, which is what makes
/// small models slow. MKL is column-major: a row-major product C = A·B is its Cᵀ = Bᵀ·Aᵀ.
/// </summary>
internal static unsafe class Mkl
{
    private static readonly delegate* unmanaged[Cdecl]<byte*, byte*, int*, int*, int*, float*, float*, int*, float*, int*, float*, float*, int*, void> Sgemm;
    private static readonly delegate* unmanaged[Cdecl]<int, int> SetThreadsLocal;

    static Mkl()
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

    /// <summary>Whether this libtorch carries MKL: on x64 it does, on ARM not.</summary>
    public static bool Available => Sgemm is not null;

    /// <summary>Whether the processor has vectors of twice the width that MKL takes: it has AVX-512 and is not Intel's.</summary>
    public static bool TakesHalf { get; } = Avx512F.IsSupported && !MadeByIntel();

    /// <summary>How many threads MKL may use for calls from this thread (0: its default). Returns what was set before.</summary>
    public static int ThreadsHere(int count) => SetThreadsLocal is null ? 0 : SetThreadsLocal(count);

    /// <summary>C[m,n] = α·op(A)·op(B) + β·C, where op turns A [m,k] or B [k,n] where it lies turned, [k,m] or [n,k].</summary>
    public static void Multiply(int m, int n, int k, float* a, int lda, bool turnedA, float* b, int ldb, bool turnedB, float* c, int ldc, float alpha, float beta)
    {
        byte left = Letter(turnedB), right = Letter(turnedA);
        Sgemm(&left, &right, &n, &m, &k, &alpha, b, &ldb, a, &lda, &beta, c, &ldc);
    }

    // The vendor's name, "GenuineIntel", comes in EBX, EDX, ECX.
    private static bool MadeByIntel() => X86Base.IsSupported && X86Base.CpuId(0, 0) is { Ebx: 0x756E6547, Edx: 0x49656E69, Ecx: 0x6C65746E };

    private static byte Letter(bool turned) => (byte)(turned ? 'T' : 'N');
}
