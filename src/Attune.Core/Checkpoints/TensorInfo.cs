namespace Attune.Core.Checkpoints;

/// <summary>A tensor as a safetensors header declares it, after the checks of <see cref="SafetensorsHeader"/>.</summary>
/// <param name="Name">Its name, <c>model.layers.0.self_attn.q_proj.weight</c>.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Shape">Its sizes, outermost first; empty for a scalar.</param>
/// <param name="Start">Offset of its first byte from the start of the file.</param>
/// <param name="Length">Its length in bytes.</param>
public sealed record TensorInfo(string Name, TensorType Type, IReadOnlyList<long> Shape, long Start, long Length)
{
    /// <summary>How many elements it has.</summary>
    public long Count { get; } = Shape.Aggregate(1L, (product, size) => product * size);

    /// <summary>The shape as people write it: <c>[64, 112]</c>.</summary>
    public string ShapeText => $"[{string.Join(", ", Shape)}]";
}
