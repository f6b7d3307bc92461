namespace Attune.Core.Checkpoints.Gguf;

/// <summary>How the elements of a GGUF tensor are packed; the numbers are those in the file. Source: ggml.h, <c>enum ggml_type</c>.</summary>
public enum GgufType
{
    /// <summary>Float.</summary>
    F32 = 0,

    /// <summary>IEEE half.</summary>
    F16 = 1,

    /// <summary>4 bits and a scale for each 32.</summary>
    Q4_0 = 2,

    /// <summary>4 bits, a scale and a least value for each 32.</summary>
    Q4_1 = 3,

    /// <summary>5 bits and a scale for each 32.</summary>
    Q5_0 = 6,

    /// <summary>5 bits, a scale and a least value for each 32.</summary>
    Q5_1 = 7,

    /// <summary>8 bits and a scale for each 32.</summary>
    Q8_0 = 8,

    /// <summary>2 bits; scales and least values of 16, of 4 bits.</summary>
    Q2_K = 10,

    /// <summary>3 bits; scales of 16, of 6 bits.</summary>
    Q3_K = 11,

    /// <summary>4 bits; scales and least values of 32, of 6 bits.</summary>
    Q4_K = 12,

    /// <summary>5 bits; scales and least values of 32, of 6 bits.</summary>
    Q5_K = 13,

    /// <summary>6 bits; scales of 16, of 8 bits.</summary>
    Q6_K = 14,

    /// <summary>4 bits into a table of unequal steps, a scale for each 32.</summary>
    IQ4_NL = 20,

    /// <summary>The same with scales of 6 bits, 8 in a block.</summary>
    IQ4_XS = 23,

    /// <summary>The upper half of a float.</summary>
    BF16 = 30,

    /// <summary>Ternary, five to a byte.</summary>
    TQ1_0 = 34,

    /// <summary>Ternary, four to a byte.</summary>
    TQ2_0 = 35,

    /// <summary>4-bit floats with an exponent for each 32 (OCP microscaling).</summary>
    MXFP4 = 39,
}
