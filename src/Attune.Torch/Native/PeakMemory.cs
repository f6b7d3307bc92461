using System.Diagnostics;

namespace Attune.Torch.Native;

/// <summary>
/// The largest resident memory of this process since <see cref="Reset"/>. Linux forgets its high-water mark when asked to
/// (proc(5), clear_refs); elsewhere, and where the file may not be written, the mark is that of the process so far.
/// </summary>
public static class PeakMemory
{
    private const string Marks = "/proc/self/clear_refs", ForgetPeak = "5";

    /// <summary>The mark, in bytes.</summary>
    public static long Bytes
    {
        get
        {
            using var process = Process.GetCurrentProcess();
            return process.PeakWorkingSet64;
        }
    }

    /// <summary>Lets go of what is no longer used, and starts the mark anew from what is left.</summary>
    public static void Reset()
    {
        GC.Collect();
        if (!OperatingSystem.IsLinux())
            return;
        try
        {
            File.WriteAllText(Marks, ForgetPeak);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A sandbox without it: the mark stays an upper bound.
        }
    }
}
