using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;

namespace Attune.Core.Checkpoints;

/// <summary>
/// A file mapped into memory, read-only: nothing is read until it is looked at, and then it is the operating system's
/// page. Safe to read from many threads; spans are valid until <see cref="Dispose"/>.
/// </summary>
internal sealed unsafe partial class MappedFile : IDisposable
{
    private readonly MemoryMappedFile _map;
    private readonly MemoryMappedViewAccessor _view;
    private byte* _start;

    private MappedFile(MemoryMappedFile map, MemoryMappedViewAccessor view, byte* start, long length)
    {
        (_map, _view, Length) = (map, view, length);
        _start = start;
    }

    /// <summary>Its length in bytes.</summary>
    public long Length { get; }

    /// <summary>Maps a file that is not empty.</summary>
    /// <exception cref="CheckpointException">ATT2003: there is no such file, or it cannot be read.</exception>
    public static MappedFile Open(string path)
    {
        MemoryMappedFile? map = null;
        MemoryMappedViewAccessor? view = null;
        try
        {
            map = MemoryMappedFile.CreateFromFile(File.OpenHandle(path), null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: false);
            view = map.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read);
            byte* start = null;
            view.SafeMemoryMappedViewHandle.AcquirePointer(ref start);
            return new(map, view, start + view.PointerOffset, Math.Min(new FileInfo(path).Length, view.Capacity));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            view?.Dispose();
            map?.Dispose();
            throw new CheckpointException("ATT2003", $"The file cannot be read: {e.Message}", e) { File = path };
        }
    }

    /// <summary>Its first bytes, as many as a span can hold but no more than <paramref name="most"/>.</summary>
    public ReadOnlySpan<byte> Head(int most) => Slice(0, (int)Math.Min(Length, most));

    /// <summary>Bytes from an offset on.</summary>
    public ReadOnlySpan<byte> Slice(long offset, int count)
    {
        ObjectDisposedException.ThrowIf(_start is null, this);
        if (offset < 0 || count < 0 || count > Length - offset)
            throw new ArgumentOutOfRangeException(nameof(offset));
        return new(_start + offset, count);
    }

    /// <summary>
    /// Says that bytes are not needed for now: the system may take their pages from this process. They come back when they
    /// are read again.
    /// </summary>
    public void LetGo(long offset, long count)
    {
        ObjectDisposedException.ThrowIf(_start is null, this);
        if (OperatingSystem.IsWindows())
            return;
        var page = (nint)Environment.SystemPageSize;
        var (first, last) = ((nint)(_start + offset) / page * page, (nint)(_start + offset + count) / page * page);
        if (last > first)
            _ = Advise(first, (nuint)(last - first), DoNotNeed);
    }

    private const int DoNotNeed = 4; // MADV_DONTNEED, on Linux and macOS alike

    [LibraryImport("libc", EntryPoint = "madvise")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Advise(nint start, nuint length, int advice);

    /// <summary>Unmaps the file; spans that it gave are dead from here on.</summary>
    public void Dispose()
    {
        if (_start is null)
            return;
        _start = null;
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _map.Dispose();
    }
}
