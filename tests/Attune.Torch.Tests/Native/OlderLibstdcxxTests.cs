using System.Text;
using Attune.NativeFit;

namespace Attune.Torch.Tests.Native;

public sealed class OlderLibstdcxxTests
{
    private static string Output => Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", "libLibTorchSharp.so");

    /// <summary>The library as the package has it, found beside the output's link into the cache.</summary>
    private static byte[] Original()
    {
        var packages = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var folder = Path.Combine(packages, "torchsharp");
        if (!OperatingSystem.IsLinux() || !Directory.Exists(folder))
            Assert.Skip("the Linux package is not in the cache of this machine");
        var file = Directory.EnumerateFiles(folder, "libLibTorchSharp.so", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Last();
        return File.ReadAllBytes(file);
    }

    [Fact]
    public void Fitted_library_differs_in_four_fields_only()
    {
        var original = Original();
        var fitted = OlderLibstdcxx.Fit(original);

        Assert.Equal(original.Length, fitted.Length);
        var changed = Enumerable.Range(0, original.Length).Count(i => original[i] != fitted[i]);
        Assert.InRange(changed, 4, 4 + 4 + 4 + 2); // hash, version name, symbol name, version index
    }

    [Fact]
    public void A_second_fit_is_refused_because_the_symbol_is_gone()
    {
        var fitted = OlderLibstdcxx.Fit(Original());
        Assert.Throws<InvalidDataException>(() => OlderLibstdcxx.Fit(fitted));
    }

    [Fact]
    public void Anything_else_is_refused_with_its_reason()
    {
        var original = Original();
        Refuses([], "not a 64-bit");
        Refuses(Encoding.ASCII.GetBytes(new string('x', 4096)), "not a 64-bit");
        Refuses(original.AsSpan(0, original.Length / 2).ToArray(), "outside the file");

        static void Refuses(byte[] library, string reason) =>
            Assert.Contains(reason, Assert.Throws<InvalidDataException>(() => OlderLibstdcxx.Fit(library)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_output_holds_what_this_host_can_load()
    {
        if (!OperatingSystem.IsLinux())
            Assert.Skip("only Linux needs it");
        var original = Original();
        var expected = HostLibstdcxx.ProvidesLibraryInit() ? original : OlderLibstdcxx.Fit(original);
        Assert.Equal(expected, File.ReadAllBytes(Output));
    }

    [Fact]
    public void The_output_holds_natives_of_this_machine_only()
    {
        var runtimes = Path.Combine(AppContext.BaseDirectory, "runtimes");
        var natives = Directory.EnumerateDirectories(runtimes).Where(d => Directory.Exists(Path.Combine(d, "native"))).Select(Path.GetFileName);
        Assert.Single(natives);
    }
}
