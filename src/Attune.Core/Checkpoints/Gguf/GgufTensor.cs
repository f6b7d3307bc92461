namespace Attune.Core.Checkpoints.Gguf;

/// <summary>A tensor of a GGUF file, checked against the file by <see cref="GgufHeader"/>.</summary>
/// <param name="Name">Its name, <c>blk.0.attn_q.weight</c>.</param>
/// <param name="Type">How it is packed.</param>
/// <param name="Shape">Its sizes, outermost first, as everywhere in Attune; the file has them the other way round.</param>
/// <param name="Start">Offset of its first byte from the start of the file.</param>
/// <param name="Length">Its length in bytes.</param>
public sealed record GgufTensor(string Name, GgufType Type, IReadOnlyList<long> Shape, long Start, long Length)
{
    /// <summary>How many elements it has.</summary>
    public long Count { get; } = Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>The shape as people write it: <c>[64, 112]</c>.</summary>
    public string ShapeText => $"[{string.Join(", ", Shape)}]";
}
