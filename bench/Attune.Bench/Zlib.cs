using System.Runtime.InteropServices;

namespace Attune.Bench;

/// <summary>
/// zlib's own compress at level 6 (not .NET's, which is zlib-ng): a yardstick that every machine has, by which speeds
/// measured elsewhere can be carried over.
/// </summary>
internal static partial class Zlib
{
    /// <summary>Megabytes a second of processor time, the best of five, or null where the machine has no libz.so.1.</summary>
    public static double? Speed(byte[] data)
    {
        var output = new byte[data.Length + (data.Length / 100) + 1024];
        var best = double.MaxValue;
        try
        {
            for (var round = 0; round < 5; round++)
            {
                var length = (nuint)output.Length;
                var start = Environment.CpuUsage.TotalTime;
                if (Compress(output, ref length, data, (nuint)data.Length, 6) != 0)
                    return null;
                best = Math.Min(best, (Environment.CpuUsage.TotalTime - start).TotalSeconds);
            }
        }
        catch (DllNotFoundException)
        {
            return null;
        }
        return data.Length / best / 1e6;
    }

    [LibraryImport("libz.so.1", EntryPoint = "compress2")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Compress([Out] byte[] destination, ref nuint length, byte[] source, nuint sourceLength, int level);
}
