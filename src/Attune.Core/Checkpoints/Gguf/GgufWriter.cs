using System.Buffers.Binary;
using System.Text;

namespace Attune.Core.Checkpoints.Gguf;

/// <summary>A tensor about to be written.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">How it is packed.</param>
/// <param name="Shape">Its sizes, outermost first.</param>
/// <param name="WriteTo">Writes exactly its bytes, so that a large model is never in memory whole.</param>
public sealed record GgufSource(string Name, GgufType Type, IReadOnlyList<long> Shape, Action<Stream> WriteTo)
{
    /// <summary>Its length in bytes.</summary>
    public long Length => checked(Shape.Aggregate(1L, (product, size) => product * size) / GgufBlock.Of(Type).Elements * GgufBlock.Of(Type).Bytes);
}

/// <summary>
/// Writes GGUF, version 3: metadata and tensors in the order given, every tensor at a multiple of 32. The same input
/// gives the same bytes. Source: ggml's docs/gguf.md.
/// </summary>
public static class GgufWriter
{
    /// <summary>Writes a file, atomically (<see cref="Atomic"/>).</summary>
    /// <exception cref="CheckpointException">ATT2030: the disk refused; ATT2011: a name twice, or a tensor that wrote more or less than its shape says.</exception>
    public static void Write(string path, IReadOnlyList<KeyValuePair<string, GgufValue>> metadata, IReadOnlyList<GgufSource> tensors)
    {
        var padding = new byte[GgufHeader.DefaultAlignment];
        var names = new HashSet<string>(StringComparer.Ordinal);
        if (tensors.FirstOrDefault(t => !names.Add(t.Name)) is { } twice)
            throw new CheckpointException("ATT2011", "The tensor is given twice.") { File = path, Field = twice.Name };
        var head = Head(metadata, tensors);
        Atomic.Write(path, stream =>
        {
            stream.Write(head);
            foreach (var tensor in tensors)
            {
                WriteSteps.Reach($"tensor {tensor.Name}");
                var before = stream.Position;
                tensor.WriteTo(stream);
                if (stream.Position - before != tensor.Length)
                    throw new CheckpointException("ATT2011", $"The tensor wrote {stream.Position - before} bytes; its shape says {tensor.Length}.") { File = path, Field = tensor.Name };
                stream.Write(padding, 0, (int)(Aligned(tensor.Length) - tensor.Length));
            }
        });
    }

    private static byte[] Head(IReadOnlyList<KeyValuePair<string, GgufValue>> metadata, IReadOnlyList<GgufSource> tensors)
    {
        using var buffer = new MemoryStream();
        var output = new Output(buffer);
        buffer.Write("GGUF"u8);
        output.UInt32(3);
        output.UInt64((ulong)tensors.Count);
        output.UInt64((ulong)metadata.Count);
        foreach (var (key, value) in metadata)
        {
            output.Text(key);
            output.Value(value);
        }
        var offset = 0L;
        foreach (var tensor in tensors)
        {
            output.Text(tensor.Name);
            output.UInt32((uint)tensor.Shape.Count);
            foreach (var size in tensor.Shape.Reverse())
                output.UInt64((ulong)size);
            output.UInt32((uint)tensor.Type);
            output.UInt64((ulong)offset);
            offset += Aligned(tensor.Length);
        }
        buffer.Write(stackalloc byte[(int)(Aligned(buffer.Length) - buffer.Length)]);
        return buffer.ToArray();
    }

    private static long Aligned(long length) => (length + GgufHeader.DefaultAlignment - 1) / GgufHeader.DefaultAlignment * GgufHeader.DefaultAlignment;

    /// <summary>Little-endian values on a stream.</summary>
    private sealed class Output(Stream stream)
    {
        public void UInt32(uint value)
        {
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
            stream.Write(bytes);
        }

        public void UInt64(ulong value)
        {
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
            stream.Write(bytes);
        }

        public void Text(string text)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            UInt64((ulong)bytes.Length);
            stream.Write(bytes);
        }

        public void Value(GgufValue value)
        {
            if (value.Content is not Array list)
            {
                UInt32((uint)value.Type);
                Scalar(value.Type, value.Content);
                return;
            }
            UInt32((uint)GgufValueType.Array);
            UInt32((uint)value.Type);
            UInt64((ulong)list.Length);
            foreach (var item in list)
                Scalar(value.Type, item!);
        }

        private void Scalar(GgufValueType type, object content)
        {
            if (type == GgufValueType.Text)
            {
                Text((string)content);
                return;
            }
            var bits = content switch
            {
                bool flag => flag ? 1UL : 0,
                float number => BitConverter.SingleToUInt32Bits(number),
                double number when type == GgufValueType.Float32 => BitConverter.SingleToUInt32Bits((float)number),
                double number => BitConverter.DoubleToUInt64Bits(number),
                ulong number => number,
                long number => (ulong)number,
                _ => throw new ArgumentException($"{content.GetType().Name} is no metadata.", nameof(content)),
            };
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, bits);
            stream.Write(bytes[..GgufHeader.WidthOf(type)]);
        }
    }
}
