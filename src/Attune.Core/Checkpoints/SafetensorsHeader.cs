using System.Buffers.Binary;
using System.Globalization;
using System.Text.Json;

namespace Attune.Core.Checkpoints;

/// <summary>
/// The header of a safetensors file: eight bytes of length, then JSON that says where each tensor lies.
/// Everything it claims is checked against the file's real length before anything is used, by the rules of the
/// reference implementation (no overlap, no hole, no byte left over), so a lying header costs nothing.
/// Source: https://github.com/huggingface/safetensors, "Format".
/// </summary>
public static class SafetensorsHeader
{
    /// <summary>The longest header that the reference implementation reads, in bytes.</summary>
    public const int MaxLength = 100_000_000;

    /// <summary>Reads and checks the header of a file whose bytes begin with <paramref name="start"/>.</summary>
    /// <param name="start">At least the whole header; more does no harm.</param>
    /// <param name="fileLength">The real length of the file.</param>
    /// <param name="path">The file's name, for errors.</param>
    /// <exception cref="CheckpointException">ATT2010 to ATT2012, ATT2014: not a sound safetensors file.</exception>
    public static (IReadOnlyList<TensorInfo> Tensors, IReadOnlyDictionary<string, string> Metadata) Read(
        ReadOnlySpan<byte> start, long fileLength, string path)
    {
        if (Pickle.LooksLikePickle(start))
            throw Pickle.Refusal(path);
        if (start.Length < 8)
            throw Broken(path, "header", $"the file has {start.Length} bytes; a safetensors file has at least 8");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(start);
        if (length > MaxLength)
            throw Broken(path, "header", $"the header claims {length} bytes; {MaxLength} is the most a header may have");
        if (length > (ulong)(fileLength - 8) || length > (ulong)(start.Length - 8))
            throw Broken(path, "header", $"the header claims {length} bytes, but the file has {fileLength - 8} after its first 8");
        if (length < 2 || start[8] != (byte)'{')
            throw Broken(path, "header", "the header is not a JSON object");

        var dataStart = 8 + (long)length;
        var (tensors, metadata) = Parse(start.Slice(8, (int)length), dataStart, path);
        CheckLayout(tensors, dataStart, fileLength, path);
        return (tensors, metadata);
    }

    private static (List<TensorInfo> Tensors, Dictionary<string, string> Metadata) Parse(ReadOnlySpan<byte> json, long dataStart, string path)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4 });
        var tensors = new List<TensorInfo>();
        var names = new HashSet<string>(StringComparer.Ordinal);
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var name = reader.GetString()!;
                if (!names.Add(name))
                    throw Broken(path, name, "the header names this tensor twice");
                reader.Read();
                if (reader.TokenType != JsonTokenType.StartObject)
                    throw Broken(path, name, "the entry is not a JSON object");
                if (name == "__metadata__")
                    ReadMetadata(ref reader, metadata, path);
                else
                    tensors.Add(ReadTensor(ref reader, name, dataStart, path));
            }
            while (reader.Read())
            {
                // Only the padding is left; anything else makes the reader throw.
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            throw new CheckpointException("ATT2010", $"The header is not the JSON of a safetensors file: {e.Message}", e) { File = path, Field = "header" };
        }
        return (tensors, metadata);
    }

    private static void ReadMetadata(ref Utf8JsonReader reader, Dictionary<string, string> metadata, string path)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString()!;
            reader.Read();
            metadata[key] = reader.TokenType == JsonTokenType.String
                ? reader.GetString()!
                : throw Broken(path, $"__metadata__.{key}", "metadata values are strings");
        }
    }

    private static TensorInfo ReadTensor(ref Utf8JsonReader reader, string name, long dataStart, string path)
    {
        TensorType? type = null;
        List<long>? shape = null, offsets = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = reader.GetString();
            reader.Read();
            switch (key)
            {
                case "dtype" when type is null:
                    var text = reader.GetString();
                    type = TensorTypes.TryParse(text, out var known)
                        ? known
                        : throw new UnsupportedCheckpointException($"The element type '{text}' is not known.") { File = path, Field = name };
                    break;
                case "shape" when shape is null:
                    shape = ReadNumbers(ref reader, name, "shape", path);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(ref reader, name, "data_offsets", path);
                    break;
                default:
                    throw Broken(path, name, $"the entry has '{key}' twice, or not at all in a safetensors header");
            }
        }
        if (type is null || shape is null || offsets is not [var begin, var end])
            throw Broken(path, name, "the entry needs dtype, shape and two data_offsets");
        return Check(name, type.Value, shape, begin, end, dataStart, path);
    }

    private static TensorInfo Check(string name, TensorType type, List<long> shape, long begin, long end, long dataStart, string path)
    {
        // A size of zero makes the tensor empty however large the other sizes are, but their product must still fit.
        Int128 bits = type.Bits();
        foreach (var size in shape)
        {
            bits *= size;
            if (bits > long.MaxValue)
                throw Broken(path, name, $"its shape [{string.Join(", ", shape)}] overflows");
        }
        if (bits % 8 != 0)
            throw Broken(path, name, "its packed elements do not fill whole bytes");
        var length = (long)(bits / 8);
        if (end < begin || end - begin != length)
            throw Broken(path, name, $"{type.HeaderName()} [{string.Join(", ", shape)}] takes {length} bytes, but data_offsets span {(Int128)end - begin}");
        if (end > long.MaxValue - dataStart)
            throw Broken(path, name, "its data_offsets overflow");
        if (begin % Math.Max(1, type.Bits() / 8) != 0)
            throw Broken(path, name, $"its first byte, {begin}, is not aligned to its elements");
        return new(name, type, shape, dataStart + begin, length);
    }

    private static List<long> ReadNumbers(ref Utf8JsonReader reader, string name, string key, string path)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
            throw Broken(path, name, $"{key} is not a list");
        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt64(out var number) || number < 0)
                throw Broken(path, name, $"{key} holds something that is not a whole number from 0 to {long.MaxValue.ToString(CultureInfo.InvariantCulture)}");
            numbers.Add(number);
        }
        return numbers;
    }

    private static void CheckLayout(List<TensorInfo> tensors, long dataStart, long fileLength, string path)
    {
        var expected = dataStart;
        foreach (var tensor in tensors.OrderBy(t => t.Start).ThenBy(t => t.Length))
        {
            if (tensor.Start < expected)
                throw Broken(path, tensor.Name, "its bytes overlap those of another tensor");
            if (tensor.Start > expected)
                throw Broken(path, tensor.Name, $"{tensor.Start - expected} bytes before it belong to no tensor");
            expected = tensor.Start + tensor.Length;
            if (expected > fileLength)
                throw new CheckpointException("ATT2012", $"The file is cut short: the tensor ends at byte {expected}, the file at {fileLength}.")
                {
                    File = path,
                    Field = tensor.Name,
                    Hint = "Copy or download it again.",
                };
        }
        if (expected != fileLength)
            throw Broken(path, "header", $"{fileLength - expected} bytes at the end belong to no tensor");
    }

    private static CheckpointException Broken(string path, string field, FormattableString message) =>
        Broken(path, field, FormattableString.Invariant(message));

    private static CheckpointException Broken(string path, string field, string message) =>
        new("ATT2010", char.ToUpperInvariant(message[0]) + message[1..] + ".") { File = path, Field = field };
}
