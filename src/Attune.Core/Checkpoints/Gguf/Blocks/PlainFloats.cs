using System.Runtime.InteropServices;

namespace Attune.Core.Checkpoints.Gguf.Blocks;

/// <summary>F32, F16 and BF16: a block is one element. Writing rounds to nearest, ties to even.</summary>
internal static class PlainFloats
{
    public static void DecodeF32(ReadOnlySpan<byte> blocks, Span<float> values) => FloatConversion.TryToFloats(TensorType.F32, blocks, values);

    public static void DecodeF16(ReadOnlySpan<byte> blocks, Span<float> values) => FloatConversion.TryToFloats(TensorType.F16, blocks, values);

    public static void DecodeBF16(ReadOnlySpan<byte> blocks, Span<float> values) => FloatConversion.TryToFloats(TensorType.BF16, blocks, values);

    public static void EncodeF32(ReadOnlySpan<float> values, Span<byte> blocks) => MemoryMarshal.AsBytes(values).CopyTo(blocks);

    public static void EncodeF16(ReadOnlySpan<float> values, Span<byte> blocks)
    {
        var halves = MemoryMarshal.Cast<byte, Half>(blocks);
        for (var i = 0; i < values.Length; i++)
            halves[i] = (Half)values[i];
    }

    public static void EncodeBF16(ReadOnlySpan<float> values, Span<byte> blocks)
    {
        var uppers = MemoryMarshal.Cast<byte, ushort>(blocks);
        for (var i = 0; i < values.Length; i++)
            uppers[i] = FloatConversion.ToBFloat16(values[i]);
    }
}
