namespace Attune.Core.Checkpoints.Gguf;

/// <summary>
/// A GGUF file, memory-mapped and read-only: opening it reads the head, and a tensor's bytes are the operating system's
/// pages. Safe to read from many threads until <see cref="Dispose"/>.
/// </summary>
public sealed class GgufFile : IDisposable
{
    private readonly MappedFile _file;
    private readonly Dictionary<string, GgufTensor> _byName;

    private GgufFile(string path, MappedFile file)
    {
        (_file, Path) = (file, path);
        var header = GgufHeader.Read(file.Head(int.MaxValue), file.Length, path);
        (Metadata, Tensors) = (new(header.Metadata, path), header.Tensors);
        _byName = Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
    }

    /// <summary>The file's path.</summary>
    public string Path { get; }

    /// <summary>What it says of the model.</summary>
    public GgufMetadata Metadata { get; }

    /// <summary>The tensors, in the file's order.</summary>
    public IReadOnlyList<GgufTensor> Tensors { get; }

    /// <summary>Maps a file and checks its head.</summary>
    /// <exception cref="CheckpointException">ATT2003: it cannot be read; otherwise as <see cref="GgufHeader.Read"/> says.</exception>
    public static GgufFile Open(string path)
    {
        if (new FileInfo(path) is { Exists: true, Length: < 24 and var length })
            throw GgufException.NotGguf(path, FormattableString.Invariant($"The file has {length} bytes; a GGUF file has at least 24."));
        var file = MappedFile.Open(path);
        try
        {
            return new(path, file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The entry of a tensor, or null where the file has none of that name.</summary>
    public GgufTensor? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The entry of a tensor that must be there.</summary>
    /// <exception cref="CheckpointException">ATT2013: there is none of that name.</exception>
    public GgufTensor this[string name] => Find(name) ?? throw SafetensorsFile.Missing(name, Path);

    /// <summary>A part of a tensor's bytes.</summary>
    /// <param name="tensor">The tensor.</param>
    /// <param name="offset">First byte, from the start of the tensor.</param>
    /// <param name="count">Number of bytes.</param>
    public ReadOnlySpan<byte> Bytes(GgufTensor tensor, long offset, int count)
    {
        if (offset < 0 || count < 0 || count > tensor.Length - offset)
            throw new ArgumentOutOfRangeException(nameof(offset));
        return _file.Slice(tensor.Start + offset, count);
    }

    /// <summary>A part of a tensor's values as floats, from element <paramref name="first"/> on; both it and the number of values are whole blocks.</summary>
    public void ReadFloats(GgufTensor tensor, long first, Span<float> values)
    {
        var block = GgufBlock.Of(tensor.Type);
        if (first % block.Elements != 0 || values.Length % block.Elements != 0)
            throw new ArgumentException($"{tensor.Type} is read by whole blocks of {block.Elements}.", nameof(values));
        // Small enough for the bytes of a part to stay in the cache while they are unpacked.
        const int part = 1 << 16;
        for (var done = 0; done < values.Length; done += part)
        {
            var count = Math.Min(part, values.Length - done);
            var bytes = Bytes(tensor, (first + done) / block.Elements * block.Bytes, count / block.Elements * block.Bytes);
            block.Decode(bytes, values.Slice(done, count));
        }
    }

    /// <summary>Unmaps the file; spans that it gave are dead from here on.</summary>
    public void Dispose() => _file.Dispose();
}
