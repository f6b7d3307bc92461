namespace Attune.Core.Checkpoints;

/// <summary>
/// A safetensors file, memory-mapped and read-only: opening it reads the header and nothing else, and a tensor's
/// bytes are the operating system's pages. Safe to read from many threads. Spans that it gave are valid until
/// <see cref="Dispose"/>; nobody may shorten the file meanwhile (the store's blobs are never written again).
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    private readonly MappedFile _file;
    private readonly Dictionary<string, TensorInfo> _byName;

    private SafetensorsFile(string path, MappedFile file)
    {
        (_file, Path) = (file, path);
        (Tensors, Metadata) = SafetensorsHeader.Read(file.Head(SafetensorsHeader.MaxLength + 8), file.Length, path);
        _byName = Tensors.ToDictionary(t => t.Name, StringComparer.Ordinal);
    }

    /// <summary>The file's path.</summary>
    public string Path { get; }

    /// <summary>The tensors, in the header's order.</summary>
    public IReadOnlyList<TensorInfo> Tensors { get; }

    /// <summary>The header's <c>__metadata__</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>Maps a file and checks its header.</summary>
    /// <exception cref="CheckpointException">
    /// ATT2003: there is no such file, or it cannot be read; ATT2010, ATT2012: it is broken; ATT2014: it is a pickle.
    /// </exception>
    public static SafetensorsFile Open(string path)
    {
        if (File.Exists(path) && new FileInfo(path).Length is < 8 and var length)
            throw new CheckpointException("ATT2010", $"The file has {length} bytes; a safetensors file has at least 8.") { File = path, Field = "header" };
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
    public TensorInfo? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The entry of a tensor that must be there.</summary>
    /// <exception cref="CheckpointException">ATT2013: there is none of that name.</exception>
    public TensorInfo this[string name] => Find(name) ?? throw Missing(name, Path);

    /// <summary>A tensor's bytes, little-endian as they lie in the file. Not for tensors of 2 GiB and more.</summary>
    public ReadOnlySpan<byte> Bytes(string name)
    {
        var tensor = this[name];
        return Slice(tensor, 0, checked((int)tensor.Length));
    }

    /// <summary>A part of a tensor's bytes, for tensors of any length.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="offset">First byte, from the start of the tensor.</param>
    /// <param name="count">Number of bytes.</param>
    public ReadOnlySpan<byte> Bytes(string name, long offset, int count) => Slice(this[name], offset, count);

    /// <summary>A tensor's values as floats (from F32, F16, BF16 or F64).</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="values">As many as the tensor has elements.</param>
    /// <exception cref="CheckpointException">ATT2013: no such tensor; ATT2022: its type is not a plain float.</exception>
    public void ReadFloats(string name, Span<float> values)
    {
        if (this[name].Count != values.Length)
            throw new ArgumentException($"{name} has {this[name].Count} elements, not {values.Length}.", nameof(values));
        ReadFloats(name, 0, values);
    }

    /// <summary>A part of a tensor's values as floats, from element <paramref name="first"/> on: rows of a large matrix.</summary>
    public void ReadFloats(string name, long first, Span<float> values)
    {
        var tensor = this[name];
        if (first < 0 || values.Length > tensor.Count - first)
            throw new ArgumentOutOfRangeException(nameof(first));
        var width = tensor.Type.Bits() / 8;
        const int chunk = 1 << 20;
        for (var done = 0; done < values.Length; done += chunk)
        {
            var count = Math.Min(chunk, values.Length - done);
            if (!FloatConversion.TryToFloats(tensor.Type, Slice(tensor, (first + done) * width, count * width), values.Slice(done, count)))
                throw new UnsupportedCheckpointException($"The tensor is {tensor.Type.HeaderName()}; weights are read from F32, F16, BF16 or F64.") { File = Path, Field = name };
        }
    }

    /// <summary>
    /// Says that a tensor's bytes are not needed for now: the system may take its pages from this process. They come back
    /// when they are read again, so a model larger than memory can be gone through tensor by tensor.
    /// </summary>
    public void LetGo(string name)
    {
        var tensor = this[name];
        _file.LetGo(tensor.Start, tensor.Length);
    }

    /// <summary>Unmaps the file; spans that it gave are dead from here on.</summary>
    public void Dispose() => _file.Dispose();

    internal static CheckpointException Missing(string name, string path) => new("ATT2013", "The model has no such tensor.")
    {
        File = path,
        Field = name,
        Hint = "The weights and config.json do not belong together, or the checkpoint is incomplete.",
    };

    private ReadOnlySpan<byte> Slice(TensorInfo tensor, long offset, int count)
    {
        if (offset < 0 || count < 0 || count > tensor.Length - offset)
            throw new ArgumentOutOfRangeException(nameof(offset));
        return _file.Slice(tensor.Start + offset, count);
    }
}
