using System.Runtime.InteropServices;
using Attune.Core.Checkpoints.Gguf.Blocks;

namespace Attune.Core.Checkpoints.Gguf;

/// <summary>Floats to the blocks that Attune writes: F32, F16, BF16 and Q8_0.</summary>
public static class GgufEncoding
{
    /// <summary>Whether Attune writes this type.</summary>
    public static bool CanWrite(GgufType type) => type is GgufType.F32 or GgufType.F16 or GgufType.BF16 or GgufType.Q8_0;

    /// <summary>Packs values; as many as whole blocks hold.</summary>
    /// <exception cref="ArgumentException">A type that is only read.</exception>
    public static void Encode(GgufType type, ReadOnlySpan<float> values, Span<byte> blocks)
    {
        switch (type)
        {
            case GgufType.F32:
                PlainFloats.EncodeF32(values, blocks);
                break;
            case GgufType.F16:
                PlainFloats.EncodeF16(values, blocks);
                break;
            case GgufType.BF16:
                PlainFloats.EncodeBF16(values, blocks);
                break;
            case GgufType.Q8_0:
                Q8.Encode(values, blocks);
                break;
            default:
                throw new ArgumentException($"{type} is read, not written.", nameof(type));
        }
    }

    /// <summary>Packs values onto a stream, a part at a time.</summary>
    public static void Write(Stream stream, GgufType type, ReadOnlySpan<float> values)
    {
        if (type == GgufType.F32)
        {
            stream.Write(MemoryMarshal.AsBytes(values));
            return;
        }
        var block = GgufBlock.Of(type);
        const int part = 1 << 14;
        var bytes = new byte[part / block.Elements * block.Bytes];
        for (; values.Length > 0; values = values[Math.Min(part, values.Length)..])
        {
            var count = Math.Min(part, values.Length);
            var packed = bytes.AsSpan(0, count / block.Elements * block.Bytes);
            Encode(type, values[..count], packed);
            stream.Write(packed);
        }
    }
}
