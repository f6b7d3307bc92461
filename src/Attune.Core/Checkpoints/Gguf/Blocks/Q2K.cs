namespace Attune.Core.Checkpoints.Gguf.Blocks;

/// <summary>
/// Q2_K, 84 bytes for 256: 16 bytes with scale (low) and least value (high) of each 16, 64 bytes of two bits, half d,
/// half dmin; x = d·scale·q − dmin·least. Source: ggml-quants.c, <c>dequantize_row_q2_K</c>.
/// </summary>
internal static class Q2K
{
    public static void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[84..], values = values[256..])
        {
            var (d, dmin) = (Fields.Half(blocks, 80), Fields.Half(blocks, 82));
            for (var group = 0; group < 16; group++)
            {
                // 128 elements share 32 bytes; each pair of groups takes the next two bits of them.
                var (start, shift) = (16 + (group >> 3) * 32 + (group & 1) * 16, (group >> 1 & 3) * 2);
                var (scale, least) = (d * (blocks[group] & 15), dmin * (blocks[group] >> 4));
                for (var i = 0; i < 16; i++)
                    values[group * 16 + i] = scale * (blocks[start + i] >> shift & 3) - least;
            }
        }
    }
}
