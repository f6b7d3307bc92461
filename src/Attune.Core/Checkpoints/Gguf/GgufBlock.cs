using System.Collections.Frozen;
using Attune.Core.Checkpoints.Gguf.Blocks;

namespace Attune.Core.Checkpoints.Gguf;

/// <summary>Turns whole blocks into floats.</summary>
/// <param name="blocks">Bytes, a whole number of blocks.</param>
/// <param name="values">As many as the blocks hold.</param>
public delegate void GgufDecode(ReadOnlySpan<byte> blocks, Span<float> values);

/// <summary>The unit that a type packs: how many elements in how many bytes, and how they become floats.</summary>
/// <param name="Type">The type.</param>
/// <param name="Elements">Elements in a block.</param>
/// <param name="Bytes">Bytes of a block.</param>
/// <param name="Decode">Blocks to floats.</param>
public sealed record GgufBlock(GgufType Type, int Elements, int Bytes, GgufDecode Decode)
{
    private static readonly FrozenDictionary<GgufType, GgufBlock> Known = new GgufBlock[]
    {
        new(GgufType.F32, 1, 4, PlainFloats.DecodeF32),
        new(GgufType.F16, 1, 2, PlainFloats.DecodeF16),
        new(GgufType.BF16, 1, 2, PlainFloats.DecodeBF16),
        new(GgufType.Q4_0, 32, 18, Q4.Decode0),
        new(GgufType.Q4_1, 32, 20, Q4.Decode1),
        new(GgufType.Q5_0, 32, 22, Q5.Decode0),
        new(GgufType.Q5_1, 32, 24, Q5.Decode1),
        new(GgufType.Q8_0, 32, 34, Q8.Decode),
        new(GgufType.Q2_K, 256, 84, Q2K.Decode),
        new(GgufType.Q3_K, 256, 110, Q3K.Decode),
        new(GgufType.Q4_K, 256, 144, Q4K.Decode),
        new(GgufType.Q5_K, 256, 176, Q5K.Decode),
        new(GgufType.Q6_K, 256, 210, Q6K.Decode),
        new(GgufType.IQ4_NL, 32, 18, IQ4.DecodeNL),
        new(GgufType.IQ4_XS, 256, 136, IQ4.DecodeXS),
        new(GgufType.TQ1_0, 256, 54, Ternary.Decode1),
        new(GgufType.TQ2_0, 256, 66, Ternary.Decode2),
        new(GgufType.MXFP4, 32, 17, Mxfp4.Decode),
    }.ToFrozenDictionary(b => b.Type);

    /// <summary>The block of a type, or null where Attune does not know it.</summary>
    public static GgufBlock? Find(GgufType type) => Known.GetValueOrDefault(type);

    /// <summary>The block of a type that Attune knows.</summary>
    public static GgufBlock Of(GgufType type) => Known[type];
}
