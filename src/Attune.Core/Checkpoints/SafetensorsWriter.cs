using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Attune.Core.Checkpoints;

/// <summary>A tensor about to be written: what it is, and how its bytes are had when their turn comes.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Its element type.</param>
/// <param name="Shape">Its sizes, outermost first.</param>
/// <param name="WriteTo">Writes exactly its bytes, little-endian, so that a large model is never in memory twice.</param>
public sealed record TensorSource(string Name, TensorType Type, IReadOnlyList<long> Shape, Action<Stream> WriteTo)
{
    /// <summary>A float tensor that is at hand.</summary>
    public static TensorSource Of(string name, IReadOnlyList<long> shape, ReadOnlyMemory<float> values) =>
        new(name, TensorType.F32, shape, stream => stream.Write(MemoryMarshal.AsBytes(values.Span)));

    /// <summary>A tensor whose bytes are at hand.</summary>
    public static TensorSource Of(string name, TensorType type, IReadOnlyList<long> shape, ReadOnlyMemory<byte> bytes) =>
        new(name, type, shape, stream => stream.Write(bytes.Span));

    /// <summary>Float values, rounded to bfloat16 on the way out.</summary>
    public static TensorSource OfBFloat16(string name, IReadOnlyList<long> shape, ReadOnlyMemory<float> values) =>
        new(name, TensorType.BF16, shape, stream =>
        {
            var buffer = new ushort[4096];
            for (var done = 0; done < values.Length; done += buffer.Length)
            {
                var part = values.Span.Slice(done, Math.Min(buffer.Length, values.Length - done));
                for (var i = 0; i < part.Length; i++)
                    buffer[i] = FloatConversion.ToBFloat16(part[i]);
                stream.Write(MemoryMarshal.AsBytes(buffer.AsSpan(0, part.Length)));
            }
        });

    /// <summary>Its length in bytes.</summary>
    public long Length => checked(Shape.Aggregate((long)Type.Bits(), (product, size) => product * size) / 8);
}

/// <summary>
/// Writes safetensors files with the very bytes that the reference implementation writes: wide types first, then
/// by name, the header padded with spaces to a multiple of 8. The same tensors give the same file, always.
/// </summary>
public static class SafetensorsWriter
{
    private static readonly Dictionary<string, string> PyTorch = new(StringComparer.Ordinal) { ["format"] = "pt" };
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes a file, atomically (<see cref="Atomic"/>).</summary>
    /// <param name="path">Where to.</param>
    /// <param name="tensors">In any order, each name once.</param>
    /// <param name="metadata">The header's metadata; null is <c>format: pt</c>, which transformers asks for.</param>
    /// <exception cref="CheckpointException">ATT2030: the disk refused; ATT2011: a name twice, or a tensor that wrote more or less than its shape says.</exception>
    public static void Write(string path, IEnumerable<TensorSource> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        var ordered = tensors.OrderByDescending(t => t.Type).ThenBy(t => Encoding.UTF8.GetBytes(t.Name), Utf8Order).ToArray();
        var header = Header(ordered, metadata ?? PyTorch, path);
        Atomic.Write(path, stream =>
        {
            stream.Write(header);
            foreach (var tensor in ordered)
            {
                WriteSteps.Reach($"tensor {tensor.Name}");
                var before = stream.Position;
                tensor.WriteTo(stream);
                if (stream.Position - before != tensor.Length)
                    throw new CheckpointException("ATT2011", $"The tensor wrote {stream.Position - before} bytes; its shape says {tensor.Length}.") { File = path, Field = tensor.Name };
            }
        });
    }

    private static byte[] Header(TensorSource[] ordered, IReadOnlyDictionary<string, string> metadata, string path)
    {
        using var buffer = new MemoryStream();
        buffer.Write(stackalloc byte[8]);
        using (var json = new Utf8JsonWriter(buffer, Plain))
        {
            json.WriteStartObject();
            if (metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata.OrderBy(p => p.Key, StringComparer.Ordinal))
                    json.WriteString(key, value);
                json.WriteEndObject();
            }
            var names = new HashSet<string>(StringComparer.Ordinal);
            var offset = 0L;
            foreach (var tensor in ordered)
            {
                if (!names.Add(tensor.Name))
                    throw new CheckpointException("ATT2011", "The tensor is given twice.") { File = path, Field = tensor.Name };
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.Type.HeaderName());
                json.WriteStartArray("shape");
                foreach (var size in tensor.Shape)
                    json.WriteNumberValue(size);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(offset);
                json.WriteNumberValue(offset += tensor.Length);
                json.WriteEndArray();
                json.WriteEndObject();
            }
            json.WriteEndObject();
        }
        while (buffer.Length % 8 != 0)
            buffer.WriteByte((byte)' ');
        var bytes = buffer.ToArray();
        BinaryPrimitives.WriteInt64LittleEndian(bytes, bytes.Length - 8);
        return bytes;
    }

    private static Comparer<byte[]> Utf8Order { get; } = Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b));
}
