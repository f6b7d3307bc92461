using System.Diagnostics;
using Attune.Core.Checkpoints;

namespace Attune.Core.Versions;

/// <summary>
/// One writer at a time, across processes: an exclusive lock on a file in the store. The system frees it when a
/// process dies, however it dies. Readers need no lock, for blobs do not change and the index is replaced whole.
/// </summary>
internal static class StoreLock
{
    internal const string FileName = "attune.lock";

    internal static IDisposable Take(string folder, TimeSpan patience)
    {
        var path = Path.Combine(folder, FileName);
        FileStream? taken = null;
        Atomic.Guard(path, null, () =>
        {
            Directory.CreateDirectory(folder);
            var waiting = Stopwatch.StartNew();
            while (taken is null)
            {
                try
                {
                    taken = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1);
                }
                catch (IOException e) when (IsHeld(e))
                {
                    if (waiting.Elapsed > patience)
                        throw new StoreException("ATT2055", "Another process is writing to the store.", e) { File = folder, Hint = "Try again when it is done." };
                    Thread.Sleep(20);
                }
            }
        });
        return taken!;
    }

    // EWOULDBLOCK is 11 on Linux and 35 on macOS; Windows has ERROR_SHARING_VIOLATION (32) and ERROR_LOCK_VIOLATION (33).
    private static bool IsHeld(IOException e) => (e.HResult & 0xFFFF) is 11 or 35 or 32 or 33;
}
