namespace Attune.Core.Checkpoints.Gguf.Blocks;

/// <summary>
/// MXFP4, 17 bytes for 32: an exponent e without sign, 16 bytes of 4-bit floats (sign, two bits of exponent, one of
/// fraction); x = 2^(e − 127)·f. The table holds 2·f, so the scale is half of that. Source: the OCP microscaling
/// specification 1.0; ggml-quants.c, <c>dequantize_row_mxfp4</c>.
/// </summary>
internal static class Mxfp4
{
    private static ReadOnlySpan<sbyte> Doubled => [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12];

    public static void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[17..], values = values[32..])
        {
            var d = MathF.ScaleB(1, blocks[0] - 128);
            for (var i = 0; i < 16; i++)
            {
                values[i] = d * Doubled[blocks[1 + i] & 15];
                values[i + 16] = d * Doubled[blocks[1 + i] >> 4];
            }
        }
    }
}
