namespace Attune.Core.Checkpoints.Gguf.Blocks;

/// <summary>
/// Q5_K, 176 bytes for 256: as Q4_K with 32 bytes of fifth bits before the lower four, bit g of them for the g-th 32.
/// Source: ggml-quants.c, <c>dequantize_row_q5_K</c>.
/// </summary>
internal static class Q5K
{
    public static void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[176..], values = values[256..])
        {
            var (d, dmin) = (Fields.Half(blocks, 0), Fields.Half(blocks, 2));
            for (var group = 0; group < 8; group++)
            {
                var (scale, least) = Fields.SixBits(blocks.Slice(4, 12), group);
                var (s, m, shift) = (d * scale, dmin * least, (group & 1) * 4);
                var fifth = blocks.Slice(16, 32);
                var bits = blocks.Slice(48 + group / 2 * 32, 32);
                for (var i = 0; i < 32; i++)
                    values[group * 32 + i] = s * (bits[i] >> shift & 15 | (fifth[i] >> group & 1) << 4) - m;
            }
        }
    }
}
