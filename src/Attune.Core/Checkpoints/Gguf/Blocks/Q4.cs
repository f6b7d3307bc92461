namespace Attune.Core.Checkpoints.Gguf.Blocks;

/// <summary>
/// Q4_0, 18 bytes: half d, 16 bytes; x = d·(q − 8). Q4_1, 20 bytes: half d, half m, 16 bytes; x = d·q + m. Low halves
/// of the bytes are elements 0 to 15, high halves 16 to 31. Source: ggml-quants.c.
/// </summary>
internal static class Q4
{
    public static void Decode0(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[18..], values = values[32..])
        {
            var d = Fields.Half(blocks, 0);
            for (var i = 0; i < 16; i++)
            {
                values[i] = d * ((blocks[2 + i] & 15) - 8);
                values[i + 16] = d * ((blocks[2 + i] >> 4) - 8);
            }
        }
    }

    public static void Decode1(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[20..], values = values[32..])
        {
            var (d, m) = (Fields.Half(blocks, 0), Fields.Half(blocks, 2));
            for (var i = 0; i < 16; i++)
            {
                values[i] = d * (blocks[4 + i] & 15) + m;
                values[i + 16] = d * (blocks[4 + i] >> 4) + m;
            }
        }
    }
}
