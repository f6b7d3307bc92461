namespace Attune.App.Tests;

/// <summary>The checkout that the tests were built from.</summary>
internal static class Checkout
{
    /// <summary>Its root, where Attune.slnx lies.</summary>
    public static string Root { get; } = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Attune.slnx")))
            folder = folder.Parent ?? throw new DirectoryNotFoundException("The tests run from a checkout.");
        return folder.FullName;
    }
}
