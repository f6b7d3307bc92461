namespace Attune.Core.Checkpoints.Gguf.Blocks;

/// <summary>
/// −d, 0 and d. TQ1_0, 54 bytes for 256: 48 bytes of five trits, 4 of four, half d; a byte is the number 0.t₁t₂t₃t₄t₅ in
/// base three, rounded up to 256ths, so that times 3ⁿ, modulo one, times three gives the n-th trit. TQ2_0, 66 bytes: 64
/// bytes of two-bit numbers, half d. Source: ggml-quants.c, <c>dequantize_row_tq1_0</c>, <c>dequantize_row_tq2_0</c>.
/// </summary>
internal static class Ternary
{
    private static ReadOnlySpan<byte> PowersOfThree => [1, 3, 9, 27, 81];

    public static void Decode1(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[54..], values = values[256..])
        {
            var d = Fields.Half(blocks, 52);
            Trits(blocks[..32], 5, d, values);
            Trits(blocks.Slice(32, 16), 5, d, values[160..]);
            Trits(blocks.Slice(48, 4), 4, d, values[240..]);
        }
    }

    public static void Decode2(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[66..], values = values[256..])
        {
            var d = Fields.Half(blocks, 64);
            for (var i = 0; i < 256; i++)
                values[i] = d * ((blocks[(i >> 7) * 32 + (i & 31)] >> (i >> 5 & 3) * 2 & 3) - 1);
        }
    }

    private static void Trits(ReadOnlySpan<byte> bytes, int each, float d, Span<float> values)
    {
        for (var n = 0; n < each; n++)
        {
            for (var i = 0; i < bytes.Length; i++)
            {
                var rest = unchecked((byte)(bytes[i] * PowersOfThree[n]));
                values[n * bytes.Length + i] = d * ((rest * 3 >> 8) - 1);
            }
        }
    }
}
