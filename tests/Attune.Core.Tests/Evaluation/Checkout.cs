namespace Attune.Core.Tests.Evaluation;

/// <summary>The checkout that the tests run from.</summary>
internal static class Checkout
{
    /// <summary>A path under its root.</summary>
    public static string PathOf(params ReadOnlySpan<string> parts)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Attune.slnx")))
            folder = folder.Parent ?? throw new DirectoryNotFoundException("The tests run from a checkout.");
        return Path.Combine([folder.FullName, .. parts]);
    }
}
