namespace Attune.Core.Checkpoints;

/// <summary>
/// The element types of safetensors, in the order that its reference implementation declares them
/// (by width): a writer lays tensors out from the last of this list to the first.
/// </summary>
public enum TensorType
{
    /// <summary>One byte, 0 or 1.</summary>
    Bool,

    /// <summary>4-bit float.</summary>
    F4,

    /// <summary>6-bit float, 2 bits of exponent.</summary>
    F6E2M3,

    /// <summary>6-bit float, 3 bits of exponent.</summary>
    F6E3M2,

    /// <summary>Unsigned byte.</summary>
    U8,

    /// <summary>Signed byte.</summary>
    I8,

    /// <summary>8-bit float, 5 bits of exponent.</summary>
    F8E5M2,

    /// <summary>8-bit float, 4 bits of exponent.</summary>
    F8E4M3,

    /// <summary>8-bit exponent without sign: a block's scale.</summary>
    F8E8M0,

    /// <summary>16-bit integer.</summary>
    I16,

    /// <summary>Unsigned 16-bit integer.</summary>
    U16,

    /// <summary>IEEE half.</summary>
    F16,

    /// <summary>The upper half of a float.</summary>
    BF16,

    /// <summary>32-bit integer.</summary>
    I32,

    /// <summary>Unsigned 32-bit integer.</summary>
    U32,

    /// <summary>Float.</summary>
    F32,

    /// <summary>Two floats.</summary>
    C64,

    /// <summary>Double.</summary>
    F64,

    /// <summary>64-bit integer.</summary>
    I64,

    /// <summary>Unsigned 64-bit integer.</summary>
    U64,
}

/// <summary>Names and widths of <see cref="TensorType"/>.</summary>
public static class TensorTypes
{
    private static readonly (string Name, int Bits)[] Table =
    [
        ("BOOL", 8), ("F4", 4), ("F6_E2M3", 6), ("F6_E3M2", 6), ("U8", 8), ("I8", 8), ("F8_E5M2", 8), ("F8_E4M3", 8), ("F8_E8M0", 8),
        ("I16", 16), ("U16", 16), ("F16", 16), ("BF16", 16), ("I32", 32), ("U32", 32), ("F32", 32), ("C64", 64), ("F64", 64), ("I64", 64), ("U64", 64),
    ];

    /// <summary>Width of one element in bits; 4 and 6 bit elements are packed.</summary>
    public static int Bits(this TensorType type) => Table[(int)type].Bits;

    /// <summary>The name in a safetensors header, <c>BF16</c>.</summary>
    public static string HeaderName(this TensorType type) => Table[(int)type].Name;

    /// <summary>The name of a float type in config.json, <c>bfloat16</c>; float32 for every other type.</summary>
    public static string ConfigName(this TensorType type) => type switch
    {
        TensorType.F16 => "float16",
        TensorType.BF16 => "bfloat16",
        TensorType.F64 => "float64",
        _ => "float32",
    };

    /// <summary>The type of a header's name; false where there is none of that name.</summary>
    public static bool TryParse(string? name, out TensorType type)
    {
        var index = Array.FindIndex(Table, row => row.Name == name);
        type = (TensorType)Math.Max(index, 0);
        return index >= 0;
    }
}
