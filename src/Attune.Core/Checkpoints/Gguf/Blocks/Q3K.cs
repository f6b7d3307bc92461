namespace Attune.Core.Checkpoints.Gguf.Blocks;

/// <summary>
/// Q3_K, 110 bytes for 256: 32 bytes of third bits, 64 bytes of the lower two, 12 bytes of sixteen 6-bit scales, half d;
/// x = d·(scale − 32)·(q − 4). Source: ggml-quants.c, <c>dequantize_row_q3_K</c>.
/// </summary>
internal static class Q3K
{
    public static void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[110..], values = values[256..])
        {
            var d = Fields.Half(blocks, 108);
            for (var group = 0; group < 16; group++)
            {
                var (half, pair) = (group >> 3, group >> 1 & 3);
                var scale = d * (Scale(blocks.Slice(96, 12), group) - 32);
                for (var i = 0; i < 16; i++)
                {
                    var at = (group & 1) * 16 + i;
                    var third = blocks[at] >> (half * 4 + pair) & 1;
                    values[group * 16 + i] = scale * ((blocks[32 + half * 32 + at] >> (pair * 2) & 3 | third << 2) - 4);
                }
            }
        }
    }

    // Lower four bits: low halves of bytes 0 to 7 for scales 0 to 7, high halves for 8 to 15; upper two in bytes 8 to 11.
    private static int Scale(ReadOnlySpan<byte> packed, int j)
    {
        var lower = j < 8 ? packed[j] & 15 : packed[j - 8] >> 4;
        var upper = packed[8 + (j & 3)] >> (j / 4 * 2) & 3;
        return lower | upper << 4;
    }
}
