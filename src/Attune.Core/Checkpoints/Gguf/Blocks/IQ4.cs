using System.Buffers.Binary;

namespace Attune.Core.Checkpoints.Gguf.Blocks;

/// <summary>
/// Four bits into a table whose steps grow outwards, as weights are spread. IQ4_NL, 18 bytes: half d, 16 bytes. IQ4_XS,
/// 136 bytes for 256: half d, upper two and lower four bits of eight scales, 128 bytes; x = d·(scale − 32)·table[q].
/// Source: ggml-quants.c, <c>kvalues_iq4nl</c>.
/// </summary>
internal static class IQ4
{
    private static ReadOnlySpan<sbyte> Table => [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    public static void DecodeNL(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[18..], values = values[32..])
            Unpack(blocks[2..], Fields.Half(blocks, 0), values);
    }

    public static void DecodeXS(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[136..], values = values[256..])
        {
            var (d, upper) = (Fields.Half(blocks, 0), BinaryPrimitives.ReadUInt16LittleEndian(blocks[2..]));
            for (var group = 0; group < 8; group++)
            {
                var scale = blocks[4 + group / 2] >> (group & 1) * 4 & 15 | (upper >> group * 2 & 3) << 4;
                Unpack(blocks[(8 + group * 16)..], d * (scale - 32), values[(group * 32)..]);
            }
        }
    }

    private static void Unpack(ReadOnlySpan<byte> bits, float d, Span<float> values)
    {
        for (var i = 0; i < 16; i++)
        {
            values[i] = d * Table[bits[i] & 15];
            values[i + 16] = d * Table[bits[i] >> 4];
        }
    }
}
