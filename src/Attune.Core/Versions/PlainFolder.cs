using Attune.Core.Checkpoints;

namespace Attune.Core.Versions;

/// <summary>Lays the files of a model out as a plain folder, which appears only when it is complete.</summary>
internal static class PlainFolder
{
    /// <summary>Writes the folder.</summary>
    /// <param name="files">By name.</param>
    /// <param name="folder">Empty or missing.</param>
    /// <param name="copy">Copies a file into a stream.</param>
    /// <exception cref="StoreException">ATT2060: the folder is there and not empty.</exception>
    public static void Write(ModelFiles files, string folder, Action<string, Stream> copy)
    {
        RequireEmpty(folder);
        var target = Path.GetFullPath(folder);
        var unfinished = Atomic.TemporaryBeside(target);
        Atomic.GuardFolder(target, unfinished, () =>
        {
            Directory.CreateDirectory(unfinished);
            foreach (var (name, path) in files.Paths)
                Atomic.WriteDurably(Path.Combine(unfinished, name), stream => copy(path, stream));
            if (Directory.Exists(target))
                Directory.Delete(target);
            WriteSteps.Reach("rename folder");
            Directory.Move(unfinished, target);
        });
    }

    /// <summary>Refuses a folder that holds something.</summary>
    /// <exception cref="StoreException">ATT2060: it does.</exception>
    public static void RequireEmpty(string folder)
    {
        if (File.Exists(folder) || (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any()))
            throw new StoreException("ATT2060", "The folder is there already and not empty.") { File = folder, Hint = "Choose another one." };
    }
}
