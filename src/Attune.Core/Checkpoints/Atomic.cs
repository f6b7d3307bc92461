using System.Runtime.InteropServices;
using System.Text;

namespace Attune.Core.Checkpoints;

/// <summary>
/// The one way that Attune writes a file that must never be seen half-written: to a temporary file beside it,
/// fsync, rename, fsync of the folder. After a crash or a power cut at any moment the file is the old one or the
/// new one; a leftover has a name ending in <see cref="TemporarySuffix"/>.
/// </summary>
public static partial class Atomic
{
    /// <summary>How the names of unfinished files end.</summary>
    public const string TemporarySuffix = ".attune-tmp";

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false);

    /// <summary>Writes bytes.</summary>
    /// <exception cref="CheckpointException">ATT2030: the disk is full, the folder is read-only, or another fault of the disk; the old file is as it was.</exception>
    public static void WriteAllBytes(string path, ReadOnlySpan<byte> bytes)
    {
        var copy = bytes.ToArray();
        Write(path, stream => stream.Write(copy));
    }

    /// <summary>Writes text as UTF-8 without a mark.</summary>
    /// <inheritdoc cref="WriteAllBytes" path="/exception"/>
    public static void WriteAllText(string path, string text) => WriteAllBytes(path, Utf8.GetBytes(text));

    /// <summary>Writes whatever <paramref name="write"/> puts into the stream. Creates the folder where it is missing.</summary>
    /// <inheritdoc cref="WriteAllBytes" path="/exception"/>
    public static void Write(string path, Action<Stream> write) => Write(path, write, readOnly: false);

    /// <summary>The same, for a file that nobody is meant to write to again.</summary>
    internal static void Write(string path, Action<Stream> write, bool readOnly)
    {
        var temporary = TemporaryBeside(path);
        Guard(path, temporary, () =>
        {
            WriteDurably(temporary, write, readOnly);
            Publish(temporary, path);
        });
    }

    /// <summary>A name for an unfinished file in the folder of <paramref name="path"/>, which is created where it is missing.</summary>
    internal static string TemporaryBeside(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Guard(path, null, () => Directory.CreateDirectory(folder));
        return Path.Combine(folder, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}{TemporarySuffix}");
    }

    /// <summary>Writes a file and waits until the disk has it.</summary>
    internal static void WriteDurably(string path, Action<Stream> write, bool readOnly = false)
    {
        WriteSteps.Reach($"create {Path.GetFileName(path)}");
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Share = FileShare.None, BufferSize = 1 << 16 };
        if (readOnly && !OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
        using var stream = new FileStream(path, options);
        WriteSteps.Reach("write");
        write(stream);
        stream.Flush();
        WriteSteps.Reach("sync");
        stream.Flush(flushToDisk: true);
    }

    /// <summary>Gives a finished file its name, and waits until the disk has the name too.</summary>
    internal static void Publish(string temporary, string path)
    {
        WriteSteps.Reach($"rename to {Path.GetFileName(path)}");
        File.Move(temporary, path, overwrite: true);
        WriteSteps.Reach("sync folder");
        SyncFolder(Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Turns faults of the disk into errors that say what to do, and takes the unfinished file away.</summary>
    internal static void Guard(string path, string? temporary, Action action) => Translate(path, action, () =>
    {
        if (temporary is not null)
            File.Delete(temporary);
    });

    /// <summary>The same for an unfinished folder.</summary>
    internal static void GuardFolder(string path, string temporary, Action action) => Translate(path, action, () =>
    {
        if (Directory.Exists(temporary))
            Directory.Delete(temporary, recursive: true);
    });

    private static void Translate(string path, Action action, Action cleanUp)
    {
        try
        {
            action();
        }
        catch (Exception e)
        {
            WriteSteps.Reach("clean up");
            try
            {
                cleanUp();
            }
            catch (Exception second) when (second is IOException or UnauthorizedAccessException)
            {
                // A folder that refuses the write refuses this too; the leftover harms nobody.
            }
            if (e is IOException or UnauthorizedAccessException or ArgumentOutOfRangeException { ParamName: "value" })
                throw Explain(path, e);
            throw;
        }
    }

    private static CheckpointException Explain(string path, Exception e)
    {
        // .NET keeps errno (Unix) or the Win32 code in HResult: ENOSPC 28, EROFS 30, EDQUOT 122 / 69, ERROR_DISK_FULL 0x70.
        var code = e.HResult & 0xFFFF;
        var (message, hint) = (e, code) switch
        {
            (IOException, 28 or 69 or 122 or 0x70) => ("The disk is full", "Free some space, or choose another folder; what was there before is untouched."),
            // What .NET makes of EFBIG: a limit of the shell (ulimit -f), or of a file system such as FAT32.
            (ArgumentOutOfRangeException, _) => ("A file may not grow that large here", "Choose another file system, or raise the limit (ulimit -f); what was there before is untouched."),
            (UnauthorizedAccessException, _) or (IOException, 30) => ("The folder cannot be written to", "Choose a folder that you may write to; what was there before is untouched."),
            _ => ("The file cannot be written", "What was there before is untouched."),
        };
        return new("ATT2030", $"{message}: {e.Message}", e) { File = path, Hint = hint };
    }

    // Without this a power cut may forget the rename. .NET opens no folders, so libc does; Windows has no such call.
    private static void SyncFolder(string folder)
    {
        if (OperatingSystem.IsWindows())
            return;
        var descriptor = OpenFolder(folder, 0);
        if (descriptor < 0)
            return;
        _ = Sync(descriptor);
        _ = Close(descriptor);
    }

    [LibraryImport("libc", EntryPoint = "open", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFolder(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync")]
    private static partial int Sync(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}

/// <summary>
/// Where tests break writes: they set <see cref="OnStep"/> on their own thread and throw from it, once for every
/// step, to see that each crash leaves something valid.
/// </summary>
internal static class WriteSteps
{
    [ThreadStatic]
    private static Action<string>? _onStep;

    internal static Action<string>? OnStep
    {
        get => _onStep;
        set => _onStep = value;
    }

    internal static void Reach(string step) => _onStep?.Invoke(step);
}
