using System.Buffers.Binary;
using System.Text;
using Attune.Core.Randomness;

namespace Attune.Fuzz;

/// <summary>Breaks a file in the ways that files are broken: bits, lengths, cuts, copies, and JSON that means something else.</summary>
internal static class Mutation
{
    private static readonly ulong[] Lies = [0, 1, 0xFF, 0x7FFF_FFFF, 0xFFFF_FFFF, 1UL << 32, 1UL << 60, 1UL << 63, ulong.MaxValue, ulong.MaxValue - 31];

    private static readonly string[] Json =
    [
        "null", "true", "{}", "[]", "\"\"", "-1", "1e308", "1e999", "1152921504606846976", "99999999999999999999", "0.5", "\"\\ud800\"", "{\"a\":", "]]", "[[[[[[[[", "\"type\":\"Sequence\"",
        "\"model.layers.0.x\"", "[0,0]", "[4611686018427387904,4]", "\"F64\"", "NaN", ",",
    ];

    /// <summary>The n-th mutation of a seed file: the same for the same n, whatever ran before.</summary>
    public static byte[] Of(byte[] file, RandomStream random)
    {
        var bytes = file;
        for (var times = 1 + random.Next(4); times > 0; times--)
            bytes = Once(bytes, random);
        return bytes;
    }

    private static byte[] Once(byte[] bytes, RandomStream random)
    {
        if (bytes.Length == 0)
            return [(byte)random.Next(256)];
        var at = random.Next(bytes.Length);
        switch (random.Next(9))
        {
            case 0:
                return Changed(bytes, copy => copy[at] ^= (byte)(1 << random.Next(8)));
            case 1:
                return Changed(bytes, copy => copy[at] = (byte)random.Next(256));
            case 2:
                // Numbers of eight bytes: lengths, counts, offsets.
                return bytes.Length < 8 ? bytes : Changed(bytes, copy => BinaryPrimitives.WriteUInt64LittleEndian(copy.AsSpan(Math.Min(at, copy.Length - 8)), Lies[random.Next(Lies.Length)]));
            case 3:
                return bytes[..at];
            case 4:
                var end = Math.Min(bytes.Length, at + 1 + random.Next(64));
                return [.. bytes[..at], .. bytes[end..]];
            case 5:
                var copied = bytes[at..Math.Min(bytes.Length, at + 1 + random.Next(64))];
                var where = random.Next(bytes.Length);
                return [.. bytes[..where], .. copied, .. bytes[where..]];
            case 6:
                return Replaced(bytes, at, Encoding.UTF8.GetBytes(Json[random.Next(Json.Length)]));
            case 7:
                // A list or an object that opens very often.
                var deep = Enumerable.Repeat((byte)(random.Next(2) == 0 ? '[' : '{'), 1 + random.Next(2000)).ToArray();
                return [.. bytes[..at], .. deep, .. bytes[at..]];
            default:
                return Changed(bytes, copy => (copy[at], copy[random.Next(copy.Length)]) = (copy[random.Next(copy.Length)], copy[at]));
        }
    }

    private static byte[] Changed(byte[] bytes, Action<byte[]> change)
    {
        var copy = bytes.ToArray();
        change(copy);
        return copy;
    }

    // A whole value of JSON where one stands near, so that the file stays JSON more often than not.
    private static byte[] Replaced(byte[] bytes, int at, byte[] value)
    {
        var start = bytes.AsSpan(at).IndexOf((byte)':');
        if (start < 0)
            return [.. bytes[..at], .. value, .. bytes[at..]];
        start += at + 1;
        var end = bytes.AsSpan(start).IndexOfAny(",}]"u8);
        return [.. bytes[..start], .. value, .. bytes[(end < 0 ? bytes.Length : start + end)..]];
    }
}
