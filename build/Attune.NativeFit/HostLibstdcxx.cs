using System.Runtime.InteropServices;

namespace Attune.NativeFit;

/// <summary>What this machine's C++ runtime offers.</summary>
public static class HostLibstdcxx
{
    /// <summary>
    /// Whether libstdc++ has <c>std::ios_base_library_init</c> (GLIBCXX_3.4.32, gcc 13). True on systems other than
    /// Linux and where there is no libstdc++ at all: then there is nothing that a changed library would help.
    /// </summary>
    public static bool ProvidesLibraryInit()
    {
        if (!OperatingSystem.IsLinux() || !NativeLibrary.TryLoad("libstdc++.so.6", out var library))
            return true;
        var found = NativeLibrary.TryGetExport(library, OlderLibstdcxx.Symbol, out _);
        NativeLibrary.Free(library);
        return found;
    }
}
