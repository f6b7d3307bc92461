using Attune.Torch.Native;

namespace Attune.Torch.Kernels;

/// <summary>
/// The sizes of one decoder block on one batch: N tokens, M of them that go on behind attention (<see cref="NeededRows"/>), D hidden, H query heads, K key and value heads, C head size,
/// F feed-forward.
/// </summary>
internal sealed record BlockShape(int N, int M, int D, int H, int K, int C, int F, float Epsilon)
{
    /// <summary>Tokens that go through the matrices together at most: enough for a good product, few enough to stay in the cache.</summary>
    public const int Chunk = 192;

    /// <summary>Rows of a matrix's gradient in one piece of work: a multiple of this.</summary>
    public const int GradientRows = 64;

    /// <summary>
    /// Tokens between two gradients of the matrices: their intermediate values, some four megabytes, stay in the last
    /// cache, and every thread has a chunk.
    /// </summary>
    public int Tile => Chunk * Math.Max(WorkerPool.Workers, Math.Clamp((1 << 20) / (D + 3 * F) / Chunk, 2, 8));

    /// <summary>Width of the queries: H·C.</summary>
    public int Queries => H * C;

    /// <summary>Width of queries, keys and values of a token, side by side.</summary>
    public int Qkv => (H + 2 * K) * C;

    /// <summary>Floats that <see cref="BlockSaved"/> takes.</summary>
    public long SavedLength => N * (Qkv + Queries + (long)H) + M * (D + 2L * F);

    /// <summary>Rows cut for all threads.</summary>
    public static Slices Cut(int rows) => new(rows, Chunk, WorkerPool.Workers);

    /// <summary>Tokens cut into <see cref="Tile"/>s.</summary>
    public Slices Tiles(int tokens) => new(tokens, Tile);
}

/// <summary>The nine parameters of a block, or their gradients (null where none is wanted).</summary>
internal unsafe struct BlockWeights
{
    public float* InputNorm, Query, Key, Value, Output, PostAttentionNorm, Gate, Up, Down;
}

/// <summary>What forward leaves for backward, in one piece of memory.</summary>
internal unsafe struct BlockSaved
{
    /// <summary>Queries and keys (turned by their positions) and values, [N, Qkv].</summary>
    public float* Qkv;

    /// <summary>What attention gives to the output matrix, [N, H·C].</summary>
    public float* Attended;

    /// <summary>log Σ exp of each head's scores, [N, H].</summary>
    public float* LogSum;

    /// <summary>The residual stream between the two halves, [M, D].</summary>
    public float* Middle;

    /// <summary>[M, F] each.</summary>
    public float* Gate, Up;

    public static BlockSaved Of(float* memory, BlockShape shape)
    {
        BlockSaved saved;
        saved.Qkv = memory;
        saved.Attended = saved.Qkv + (long)shape.N * shape.Qkv;
        saved.LogSum = saved.Attended + (long)shape.N * shape.Queries;
        saved.Middle = saved.LogSum + (long)shape.N * shape.H;
        saved.Gate = saved.Middle + (long)shape.M * shape.D;
        saved.Up = saved.Gate + (long)shape.M * shape.F;
        return saved;
    }
}
