namespace Attune.Core.Checkpoints.Gguf.Blocks;

/// <summary>
/// Q6_K, 210 bytes for 256: 128 bytes of the lower four bits, 64 of the upper two, sixteen signed 8-bit scales, half d;
/// x = d·scale·(q − 32) for each 16. Source: ggml-quants.c, <c>dequantize_row_q6_K</c>.
/// </summary>
internal static class Q6K
{
    public static void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[210..], values = values[256..])
        {
            var d = Fields.Half(blocks, 208);
            for (var i = 0; i < 256; i++)
            {
                // Each 128: elements 0–31 and 32–63 in the low halves of 64 bytes, the other two in the high ones.
                var (half, quarter, at) = (i >> 7, i >> 5 & 3, i & 31);
                var lower = blocks[half * 64 + (quarter & 1) * 32 + at] >> (quarter >> 1) * 4 & 15;
                var upper = blocks[128 + half * 32 + at] >> quarter * 2 & 3;
                values[i] = d * (sbyte)blocks[192 + (i >> 4)] * ((lower | upper << 4) - 32);
            }
        }
    }
}
