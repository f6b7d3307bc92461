namespace Attune.Testing;

/// <summary>
/// The reference data that tests run over: the folder that ATTUNE_SHARED names, else ../shared beside the checkout.
/// Cases are found by listing what is there, so the same tests run over other data of the same layout.
/// </summary>
public static class SharedData
{
    /// <summary>The root, or null where this machine has none.</summary>
    public static string? Root { get; } = Find();

    /// <summary>Absent data skips a test on a laptop; in CI it is a failure.</summary>
    public static bool MaySkip => Root is null && Environment.GetEnvironmentVariable("CI") != "true";

    /// <summary>A path under the root. Throws where there is no root, so that a test fails rather than passes on nothing.</summary>
    public static string PathOf(params ReadOnlySpan<string> parts) => Path.Combine([
        Root ?? throw new DirectoryNotFoundException("No reference data: set ATTUNE_SHARED to its folder."), .. parts]);

    /// <summary>Folders under a path that hold a file of that name, sorted. Empty where there is no reference data.</summary>
    public static IReadOnlyList<string> FoldersWith(string file, params ReadOnlySpan<string> parts) =>
        Root is null || !Directory.Exists(PathOf(parts))
            ? []
            : [.. Directory.EnumerateFiles(PathOf(parts), file, SearchOption.AllDirectories).Select(p => Path.GetDirectoryName(p)!).Order(StringComparer.Ordinal)];

    /// <summary>Files under a path that match a pattern, sorted. Empty where there is no reference data.</summary>
    public static IReadOnlyList<string> Files(string pattern, params ReadOnlySpan<string> parts) =>
        Root is null || !Directory.Exists(PathOf(parts))
            ? []
            : [.. Directory.EnumerateFiles(PathOf(parts), pattern, SearchOption.AllDirectories).Order(StringComparer.Ordinal)];

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable("ATTUNE_SHARED") is { Length: > 0 } given)
            return Directory.Exists(given) ? Path.GetFullPath(given) : null;
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Attune.slnx")))
                return folder.Parent is { } parent && Directory.Exists(Path.Combine(parent.FullName, "shared"))
                    ? Path.Combine(parent.FullName, "shared")
                    : null;
        }
        return null;
    }
}
