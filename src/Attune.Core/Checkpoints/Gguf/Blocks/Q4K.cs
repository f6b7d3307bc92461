namespace Attune.Core.Checkpoints.Gguf.Blocks;

/// <summary>
/// Q4_K, 144 bytes for 256: half d, half dmin, 12 bytes of eight 6-bit scales and least values, 128 bytes;
/// x = d·scale·q − dmin·least for each 32. Source: ggml-quants.c, <c>dequantize_row_q4_K</c>.
/// </summary>
internal static class Q4K
{
    public static void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[144..], values = values[256..])
        {
            var (d, dmin) = (Fields.Half(blocks, 0), Fields.Half(blocks, 2));
            for (var group = 0; group < 8; group++)
            {
                var (scale, least) = Fields.SixBits(blocks.Slice(4, 12), group);
                var (s, m, shift) = (d * scale, dmin * least, (group & 1) * 4);
                var bits = blocks.Slice(16 + group / 2 * 32, 32);
                for (var i = 0; i < 32; i++)
                    values[group * 32 + i] = s * (bits[i] >> shift & 15) - m;
            }
        }
    }
}
