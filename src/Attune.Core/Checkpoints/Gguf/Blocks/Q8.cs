using System.Buffers.Binary;

namespace Attune.Core.Checkpoints.Gguf.Blocks;

/// <summary>Q8_0, 34 bytes: half d, 32 signed bytes q; x = d·q with d = max|x| / 127. Source: ggml-quants.c, <c>quantize_row_q8_0_ref</c>.</summary>
internal static class Q8
{
    public static void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (; blocks.Length > 0; blocks = blocks[34..], values = values[32..])
        {
            var d = Fields.Half(blocks, 0);
            for (var i = 0; i < 32; i++)
                values[i] = d * (sbyte)blocks[2 + i];
        }
    }

    /// <summary>The very bytes that llama-quantize writes: the quotient is taken with the float d, not with the half that is stored.</summary>
    public static void Encode(ReadOnlySpan<float> values, Span<byte> blocks)
    {
        for (; values.Length > 0; blocks = blocks[34..], values = values[32..])
        {
            var most = 0f;
            for (var i = 0; i < 32; i++)
                most = MathF.Max(most, MathF.Abs(values[i]));
            var d = most / 127;
            var inverse = d == 0 ? 0 : 1 / d;
            BinaryPrimitives.WriteHalfLittleEndian(blocks, (Half)d);
            for (var i = 0; i < 32; i++)
                blocks[2 + i] = (byte)(sbyte)MathF.Round(values[i] * inverse, MidpointRounding.AwayFromZero);
        }
    }
}
