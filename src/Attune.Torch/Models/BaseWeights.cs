namespace Attune.Torch.Models;

/// <summary>How frozen weights are held in memory.</summary>
public enum BaseWeights
{
    /// <summary>float32: four bytes.</summary>
    F32,

    /// <summary>bfloat16: two bytes.</summary>
    Bf16,

    /// <summary>A byte for each number, and a float for every 128: 1.03 bytes.</summary>
    Int8,

    /// <summary>Four bits for each number (NF4), and a float for every 64: 0.56 bytes.</summary>
    Int4,
}
