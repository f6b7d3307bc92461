using System.Buffers.Binary;

namespace Attune.Core.Checkpoints.Gguf.Blocks;

/// <summary>
/// Q5_0, 22 bytes: half d, 32 fifth bits, 16 bytes of the lower four; x = d·(q − 16). Q5_1, 24 bytes: half d, half m,
/// then the same; x = d·q + m. Source: ggml-quants.c.
/// </summary>
internal static class Q5
{
    public static void Decode0(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[22..], values = values[32..])
            Unpack(blocks[2..], Fields.Half(blocks, 0), 0, 16, values);
    }

    public static void Decode1(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[24..], values = values[32..])
            Unpack(blocks[4..], Fields.Half(blocks, 0), Fields.Half(blocks, 2), 0, values);
    }

    private static void Unpack(ReadOnlySpan<byte> bits, float d, float m, int zero, Span<float> values)
    {
        var fifth = BinaryPrimitives.ReadUInt32LittleEndian(bits);
        for (var i = 0; i < 16; i++)
        {
            values[i] = d * (((bits[4 + i] & 15) | (int)((fifth >> i) & 1) << 4) - zero) + m;
            values[i + 16] = d * (((bits[4 + i] >> 4) | (int)((fifth >> (i + 16)) & 1) << 4) - zero) + m;
        }
    }
}
