using System.Buffers.Binary;
using System.Text;

namespace Attune.Core.Checkpoints.Gguf;

/// <summary>
/// The head of a GGUF file: "GGUF", version, counts, metadata, the list of tensors. Every count and length is held
/// against the bytes that are left before anything of its size is allocated, so a lying header costs nothing; a tensor
/// must lie inside the file, at an aligned place, and over no other.
/// Source: ggml's docs/gguf.md and gguf.cpp.
/// </summary>
/// <param name="Version">2 or 3.</param>
/// <param name="Metadata">Values by key, in the file's order.</param>
/// <param name="Tensors">Tensors in the file's order.</param>
public sealed record GgufHeader(int Version, IReadOnlyDictionary<string, GgufValue> Metadata, IReadOnlyList<GgufTensor> Tensors)
{
    /// <summary>Tensors have no more dimensions than this (ggml's GGML_MAX_DIMS).</summary>
    public const int MostDimensions = 4;

    /// <summary>The place of tensors is a multiple of this unless <c>general.alignment</c> says otherwise.</summary>
    public const int DefaultAlignment = 32;

    // ggml's GGUF_MAX_STRING_LENGTH is 1 GiB; nothing that describes a model is near that.
    private const int LongestText = 1 << 28;

    /// <summary>Reads and checks a head.</summary>
    /// <param name="start">The file from its first byte; as much of it as a span can hold.</param>
    /// <param name="fileLength">The file's real length.</param>
    /// <param name="path">Its name, for errors.</param>
    /// <exception cref="CheckpointException">ATT3301 to ATT3304: not a sound GGUF file; ATT2014: a pickle; ATT2022: a tensor type that Attune does not know.</exception>
    public static GgufHeader Read(ReadOnlySpan<byte> start, long fileLength, string path)
    {
        if (Pickle.LooksLikePickle(start))
            throw Pickle.Refusal(path);
        if (!start.StartsWith("GGUF"u8))
            throw GgufException.NotGguf(path, "The file does not begin with GGUF.");
        var reader = new Cursor(start, path) { At = 4 };
        var version = reader.UInt32("version");
        if (version is not (2 or 3))
            throw GgufException.NotGguf(path, FormattableString.Invariant($"The file is GGUF of version {version}{((version & 0xFFFF) == 0 ? ", or big-endian" : "")}."));
        // A tensor takes 24 bytes at the least (name, dimensions, type, offset), a value 13.
        var tensorCount = reader.Count("tensor_count", 24);
        var valueCount = reader.Count("metadata_kv_count", 13);

        var metadata = new OrderedDictionary<string, GgufValue>(StringComparer.Ordinal);
        for (var i = 0; i < valueCount; i++)
        {
            var key = reader.Text("metadata");
            if (!metadata.TryAdd(key, reader.Value(key)))
                throw GgufException.Broken(path, key, $"The key is there twice.");
        }
        var alignment = Alignment(metadata, path);
        var entries = new List<(string Name, GgufType Type, long[] Shape, ulong Offset)>();
        for (var i = 0; i < tensorCount; i++)
            entries.Add(reader.Tensor());
        var dataStart = (reader.At + (long)alignment - 1) / alignment * alignment;
        var tensors = entries.Select(e => Place(e.Name, e.Type, e.Shape, e.Offset, dataStart, alignment, fileLength, path)).ToList();
        RefuseOverlap(tensors, path);
        return new((int)version, metadata, tensors);
    }

    private static int Alignment(OrderedDictionary<string, GgufValue> metadata, string path)
    {
        if (!metadata.TryGetValue("general.alignment", out var value))
            return DefaultAlignment;
        return value is { Type: GgufValueType.UInt32, Content: long number } && number is > 0 and <= 1 << 20 && long.IsPow2(number)
            ? (int)number
            : throw GgufException.Metadata(path, "general.alignment", $"Must be a power of two up to 2^20, not {value}.");
    }

    private static GgufTensor Place(string name, GgufType type, long[] shape, ulong offset, long dataStart, int alignment, long fileLength, string path)
    {
        if (GgufBlock.Find(type) is not { } block)
            throw new UnsupportedCheckpointException(FormattableString.Invariant($"Not supported: the tensor type {(int)type}.")) { File = path, Field = name };
        var row = shape.Length == 0 ? 1 : shape[^1];
        if (row % block.Elements != 0)
            throw GgufException.Broken(path, name, $"Rows of {row} elements are no whole number of {type} blocks of {block.Elements}.");
        Int128 bytes = block.Bytes;
        bytes *= row / block.Elements;
        foreach (var size in shape.SkipLast(1))
        {
            bytes *= size;
            if (bytes > long.MaxValue)
                throw GgufException.Broken(path, name, $"Its shape [{string.Join(", ", shape)}] overflows.");
        }
        if (offset % (ulong)alignment != 0)
            throw GgufException.Misplaced(path, name, $"Its place, {offset}, is no multiple of {alignment}.");
        if ((Int128)dataStart + offset + bytes > fileLength)
            throw GgufException.Misplaced(path, name, $"It takes {bytes} bytes from byte {(Int128)dataStart + offset} on, but the file has {fileLength}.");
        return new(name, type, shape, dataStart + (long)offset, (long)bytes);
    }

    private static void RefuseOverlap(List<GgufTensor> tensors, string path)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        if (tensors.FirstOrDefault(t => !names.Add(t.Name)) is { } twice)
            throw GgufException.Broken(path, twice.Name, $"The tensor is listed twice.");
        var end = 0L;
        foreach (var tensor in tensors.Where(t => t.Length > 0).OrderBy(t => t.Start))
        {
            if (tensor.Start < end)
                throw GgufException.Misplaced(path, tensor.Name, $"Its bytes overlap those of another tensor.");
            end = tensor.Start + tensor.Length;
        }
    }

    /// <summary>Reads from a span, never past its end.</summary>
    private ref struct Cursor(ReadOnlySpan<byte> bytes, string path)
    {
        private readonly ReadOnlySpan<byte> _bytes = bytes;

        public int At { get; set; }

        public uint UInt32(string field) => BinaryPrimitives.ReadUInt32LittleEndian(Take(4, field));

        public ulong UInt64(string field) => BinaryPrimitives.ReadUInt64LittleEndian(Take(8, field));

        /// <summary>A count of things that take at least so many bytes each.</summary>
        public int Count(string field, int leastBytes)
        {
            var count = UInt64(field);
            return count <= (ulong)((_bytes.Length - At) / leastBytes)
                ? (int)count
                : throw GgufException.Broken(path, field, $"The header claims {count} of them; {_bytes.Length - At} bytes are left.");
        }

        public string Text(string field)
        {
            var length = UInt64(field);
            if (length > LongestText)
                throw GgufException.Broken(path, field, $"The header claims a text of {length} bytes; {LongestText} is the most.");
            return Encoding.UTF8.GetString(Take((long)length, field));
        }

        public GgufValue Value(string key)
        {
            var type = Type(key);
            if (type != GgufValueType.Array)
                return new(type, Scalar(type, key));
            var element = Type(key);
            if (element == GgufValueType.Array)
                throw GgufException.Broken(path, key, $"A list of lists.");
            var count = Count(key, element switch { GgufValueType.Text => 8, _ => WidthOf(element) });
            return new(element, List(element, count, key));
        }

        public (string Name, GgufType Type, long[] Shape, ulong Offset) Tensor()
        {
            var name = Text("tensor names");
            var dimensions = UInt32(name);
            if (dimensions > MostDimensions)
                throw GgufException.Broken(path, name, $"It has {dimensions} dimensions; {MostDimensions} is the most.");
            var shape = new long[dimensions];
            for (var i = shape.Length - 1; i >= 0; i--)
            {
                var size = UInt64(name);
                shape[i] = size <= long.MaxValue ? (long)size : throw GgufException.Broken(path, name, $"A dimension of {size}.");
            }
            return (name, (GgufType)(int)UInt32(name), shape, UInt64(name));
        }

        private ReadOnlySpan<byte> Take(long count, string field)
        {
            if (count > _bytes.Length - At)
                throw GgufException.Broken(path, field, $"The file ends here: {count} bytes wanted at byte {At}, {_bytes.Length - At} left.");
            var part = _bytes.Slice(At, (int)count);
            At += (int)count;
            return part;
        }

        private GgufValueType Type(string key)
        {
            var type = UInt32(key);
            return type <= (uint)GgufValueType.Float64 ? (GgufValueType)type : throw GgufException.Broken(path, key, $"There is no metadata type {type}.");
        }

        private object List(GgufValueType type, int count, string key)
        {
            switch (type)
            {
                case GgufValueType.Text:
                    var texts = new string[count];
                    for (var i = 0; i < count; i++)
                        texts[i] = Text(key);
                    return texts;
                case GgufValueType.Float32:
                    var floats = new float[count];
                    for (var i = 0; i < count; i++)
                        floats[i] = BinaryPrimitives.ReadSingleLittleEndian(Take(4, key));
                    return floats;
                case GgufValueType.Float64:
                    var doubles = new double[count];
                    for (var i = 0; i < count; i++)
                        doubles[i] = BinaryPrimitives.ReadDoubleLittleEndian(Take(8, key));
                    return doubles;
                case GgufValueType.Bool:
                    var flags = new bool[count];
                    for (var i = 0; i < count; i++)
                        flags[i] = (bool)Scalar(type, key);
                    return flags;
                default:
                    var numbers = new long[count];
                    for (var i = 0; i < count; i++)
                        numbers[i] = Scalar(type, key) is long number ? number : throw GgufException.Broken(path, key, $"A number beyond 2^63.");
                    return numbers;
            }
        }

        private object Scalar(GgufValueType type, string key)
        {
            if (type == GgufValueType.Text)
                return Text(key);
            var value = Take(WidthOf(type), key);
            return type switch
            {
                GgufValueType.UInt8 => (long)value[0],
                GgufValueType.Int8 => (long)(sbyte)value[0],
                GgufValueType.UInt16 => (long)BinaryPrimitives.ReadUInt16LittleEndian(value),
                GgufValueType.Int16 => (long)BinaryPrimitives.ReadInt16LittleEndian(value),
                GgufValueType.UInt32 => (long)BinaryPrimitives.ReadUInt32LittleEndian(value),
                GgufValueType.Int32 => (long)BinaryPrimitives.ReadInt32LittleEndian(value),
                GgufValueType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(value),
                GgufValueType.UInt64 => BinaryPrimitives.ReadUInt64LittleEndian(value) is var wide && wide <= long.MaxValue ? (long)wide : wide,
                GgufValueType.Float32 => (double)BinaryPrimitives.ReadSingleLittleEndian(value),
                GgufValueType.Float64 => BinaryPrimitives.ReadDoubleLittleEndian(value),
                GgufValueType.Bool => value[0] <= 1 ? value[0] == 1 : throw GgufException.Broken(path, key, $"A flag of {value[0]}."),
                _ => throw new ArgumentOutOfRangeException(nameof(type)),
            };
        }
    }

    /// <summary>Bytes of a scalar that is no text.</summary>
    internal static int WidthOf(GgufValueType type) => type switch
    {
        GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.Bool => 1,
        GgufValueType.UInt16 or GgufValueType.Int16 => 2,
        GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.Float32 => 4,
        _ => 8,
    };
}
