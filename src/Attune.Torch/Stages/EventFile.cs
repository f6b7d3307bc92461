using System.Buffers.Binary;
using System.Text;

namespace Attune.Torch.Stages;

/// <summary>
/// TensorBoard's event file: records of length, CRC, an Event message in protobuf, CRC. Written here because a resumed
/// run must cut the file back to its checkpoint, which a writer that hides its file cannot do.
/// </summary>
public static class EventFile
{
    private static readonly uint[] Table = MakeTable();

    /// <summary>The first record of every file.</summary>
    public static byte[] Header(double wallTime) => Record([.. Double(1, wallTime), .. Bytes(3, "brain.Event:2"u8)]);

    /// <summary>A record of scalars at one step.</summary>
    /// <param name="wallTime">Seconds since 1970.</param>
    /// <param name="step">The step.</param>
    /// <param name="scalars">Tag and value.</param>
    public static byte[] Scalars(double wallTime, long step, IEnumerable<KeyValuePair<string, double>> scalars)
    {
        var summary = new List<byte>();
        foreach (var (tag, value) in scalars)
            summary.AddRange(Bytes(1, [.. Bytes(1, Encoding.UTF8.GetBytes(tag)), .. Single(2, (float)value)]));
        return Record([.. Double(1, wallTime), (2 << 3) | 0, .. VarInt((ulong)step), .. Bytes(5, [.. summary])]);
    }

    private static byte[] Record(byte[] message)
    {
        var record = new byte[8 + 4 + message.Length + 4];
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)message.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), Masked(record.AsSpan(0, 8)));
        message.CopyTo(record, 12);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(12 + message.Length), Masked(message));
        return record;
    }

    private static byte[] Double(int field, double value)
    {
        var bytes = new byte[9];
        bytes[0] = (byte)((field << 3) | 1);
        BinaryPrimitives.WriteDoubleLittleEndian(bytes.AsSpan(1), value);
        return bytes;
    }

    private static byte[] Single(int field, float value)
    {
        var bytes = new byte[5];
        bytes[0] = (byte)((field << 3) | 5);
        BinaryPrimitives.WriteSingleLittleEndian(bytes.AsSpan(1), value);
        return bytes;
    }

    private static byte[] Bytes(int field, ReadOnlySpan<byte> value) => [(byte)((field << 3) | 2), .. VarInt((ulong)value.Length), .. value];

    private static byte[] VarInt(ulong value)
    {
        var bytes = new List<byte>();
        for (; value > 127; value >>= 7)
            bytes.Add((byte)(value | 128));
        bytes.Add((byte)value);
        return [.. bytes];
    }

    /// <summary>CRC-32C, rotated and offset as TFRecord wants it.</summary>
    public static uint Masked(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var b in data)
            crc = Table[(byte)(crc ^ b)] ^ (crc >> 8);
        crc = ~crc;
        return uint.RotateRight(crc, 15) + 0xa282ead8;
    }

    private static uint[] MakeTable()
    {
        var table = new uint[256];
        for (var i = 0u; i < 256; i++)
        {
            var value = i;
            for (var bit = 0; bit < 8; bit++)
                value = (value & 1) != 0 ? (value >> 1) ^ 0x82f63b78 : value >> 1;
            table[i] = value;
        }
        return table;
    }
}
