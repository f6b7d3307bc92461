using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Attune.Core.Checkpoints;

/// <summary>Floats of other widths to and from float32. Widening is exact; narrowing rounds to nearest, ties to even.</summary>
public static class FloatConversion
{
    /// <summary>Widens the bytes of a float type; false where the type is not F32, F16, BF16 or F64.</summary>
    /// <param name="type">What the bytes are.</param>
    /// <param name="bytes">Little-endian, of any alignment.</param>
    /// <param name="values">As many as there are elements.</param>
    public static bool TryToFloats(TensorType type, ReadOnlySpan<byte> bytes, Span<float> values)
    {
        switch (type)
        {
            case TensorType.F32:
                bytes.CopyTo(MemoryMarshal.AsBytes(values));
                return true;
            case TensorType.BF16:
                FromBFloat16(MemoryMarshal.Cast<byte, ushort>(bytes), values);
                return true;
            case TensorType.F16:
                var halves = MemoryMarshal.Cast<byte, Half>(bytes);
                for (var i = 0; i < values.Length; i++)
                    values[i] = (float)halves[i];
                return true;
            case TensorType.F64:
                var doubles = MemoryMarshal.Cast<byte, double>(bytes);
                for (var i = 0; i < values.Length; i++)
                    values[i] = (float)doubles[i];
                return true;
            default:
                return false;
        }
    }

    /// <summary>Converts between float types, by way of float32 a few thousand values at a time; equal types are copied.</summary>
    /// <param name="from">What the source is.</param>
    /// <param name="source">Little-endian, of any alignment.</param>
    /// <param name="to">F32, F16, BF16 or F64.</param>
    /// <param name="target">Room for as many elements.</param>
    /// <returns>False where one of the types is none of these.</returns>
    public static bool TryConvert(TensorType from, ReadOnlySpan<byte> source, TensorType to, Span<byte> target)
    {
        if (from == to && from is TensorType.F32 or TensorType.F16 or TensorType.BF16 or TensorType.F64)
        {
            source.CopyTo(target);
            return true;
        }
        const int chunk = 2048;
        Span<float> values = stackalloc float[chunk];
        var (wide, narrow) = (from.Bits() / 8, to.Bits() / 8);
        var count = target.Length / narrow;
        for (var done = 0; done < count; done += chunk)
        {
            var some = values[..Math.Min(chunk, count - done)];
            if (!TryToFloats(from, source.Slice(done * wide, some.Length * wide), some) || !TryFromFloats(some, to, target.Slice(done * narrow, some.Length * narrow)))
                return false;
        }
        return true;
    }

    /// <summary>Narrows floats (or widens them to F64); false where the type is not a plain float.</summary>
    public static bool TryFromFloats(ReadOnlySpan<float> values, TensorType type, Span<byte> bytes)
    {
        switch (type)
        {
            case TensorType.F32:
                MemoryMarshal.AsBytes(values).CopyTo(bytes);
                return true;
            case TensorType.BF16:
                var brains = MemoryMarshal.Cast<byte, ushort>(bytes);
                for (var i = 0; i < values.Length; i++)
                    brains[i] = ToBFloat16(values[i]);
                return true;
            case TensorType.F16:
                var halves = MemoryMarshal.Cast<byte, Half>(bytes);
                for (var i = 0; i < values.Length; i++)
                    halves[i] = (Half)values[i];
                return true;
            case TensorType.F64:
                var doubles = MemoryMarshal.Cast<byte, double>(bytes);
                for (var i = 0; i < values.Length; i++)
                    doubles[i] = values[i];
                return true;
            default:
                return false;
        }
    }

    /// <summary>bfloat16 is the upper half of a float.</summary>
    public static void FromBFloat16(ReadOnlySpan<ushort> source, Span<float> values)
    {
        var bits = MemoryMarshal.Cast<float, uint>(values);
        var i = 0;
        for (; i <= source.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Widen(new Vector<ushort>(source[i..]), out var low, out var high);
            (low << 16).CopyTo(bits[i..]);
            (high << 16).CopyTo(bits[(i + Vector<uint>.Count)..]);
        }
        for (; i < source.Length; i++)
            bits[i] = (uint)source[i] << 16;
    }

    /// <summary>Rounds to bfloat16 as torch does; a NaN stays a NaN.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ushort ToBFloat16(float value)
    {
        if (float.IsNaN(value))
            return 0x7FC0;
        var bits = BitConverter.SingleToUInt32Bits(value);
        return (ushort)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }
}
