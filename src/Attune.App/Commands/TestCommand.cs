using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Xml.Linq;
using Attune.App.Cli;

namespace Attune.App.Commands;

/// <summary>
/// <c>attune test [--filter NAME]</c>: runs every test project that the launcher has built and sums them up.
/// In CI a skipped test is a failure, and what reads and writes numbers is run once more in a Turkish culture.
/// </summary>
internal static class TestCommand
{
    public static Command Create()
    {
        var filter = new Option<string?>("--filter") { Description = "Only tests whose class name contains this.", HelpName = "NAME" };
        var command = new Command("test", "Run the tests.") { filter };
        command.SetAction((parsed, cancel) => RunAsync(parsed.GetValue(filter), cancel));
        return command;
    }

    private static async Task<int> RunAsync(string? filter, CancellationToken cancel)
    {
        var root = Environment.GetEnvironmentVariable("ATTUNE_ROOT") ?? Directory.GetCurrentDirectory();
        var projects = Directory.GetDirectories(Path.Combine(root, "tests"), "*.Tests")
            .Select(folder => Path.GetFileName(folder)!)
            .OrderBy(Rank).ThenBy(name => name, StringComparer.Ordinal)
            .ToList();
        var inCi = Environment.GetEnvironmentVariable("CI") == "true";

        var sum = default(Tally);
        foreach (var project in projects)
        {
            sum += await RunProjectAsync(root, project, filter, culture: null, cancel);
            if (inCi && Rank(project) < 2)
                sum += await RunProjectAsync(root, project, filter, culture: "tr-TR", cancel);
        }

        var failed = sum.Failed + (inCi ? sum.Skipped : 0);
        if (inCi && sum.Skipped > 0)
            Console.WriteLine($"In CI a skipped test counts as failed: {sum.Skipped}.");
        var skipped = !inCi && sum.Skipped > 0 ? string.Create(CultureInfo.InvariantCulture, $", {sum.Skipped} skipped") : "";
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{sum.Passed} passed, {failed} failed{skipped}"));
        return failed == 0 && sum.Passed > 0 ? ExitCode.Done : ExitCode.Failed;
    }

    /// <summary>Fast rooms first, so that a plain fault shows soon.</summary>
    private static int Rank(string project) => project switch
    {
        "Attune.Prompts.Tests" or "Attune.Core.Tests" => 0,
        "Attune.Inference.Tests" => 1,
        "Attune.Torch.Tests" => 2,
        _ => 3,
    };

    private static async Task<Tally> RunProjectAsync(string root, string project, string? filter, string? culture, CancellationToken cancel)
    {
        var assembly = Path.Combine(root, "artifacts", "bin", project, "release", project + ".dll");
        var results = Path.Combine(root, "artifacts", $"{project}{(culture is null ? "" : "." + culture)}.xml");
        File.Delete(results);
        var start = new ProcessStartInfo("dotnet") { WorkingDirectory = root };
        string[] arguments =
        [
            assembly, "-noLogo", "-noColor", "-xml", results,
            .. filter is null ? Array.Empty<string>() : ["-class", $"*{filter}*"],
            .. culture is null ? Array.Empty<string>() : ["-culture", culture],
        ];
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);

        Console.WriteLine($"== {project}{(culture is null ? "" : $" ({culture})")}");
        using var process = Process.Start(start)!;
        try
        {
            await process.WaitForExitAsync(cancel);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
        // A runner that dies before it writes its results has failed once, whatever it had passed.
        return File.Exists(results) ? Tally.Read(results) : new Tally(0, 1, 0);
    }

    private readonly record struct Tally(int Passed, int Failed, int Skipped)
    {
        public static Tally operator +(Tally a, Tally b) => new(a.Passed + b.Passed, a.Failed + b.Failed, a.Skipped + b.Skipped);

        public static Tally Read(string path)
        {
            var assemblies = XDocument.Load(path).Root!.Elements("assembly").ToList();
            int Sum(string attribute) => assemblies.Sum(a => (int?)a.Attribute(attribute) ?? 0);
            return new(Sum("passed"), Sum("failed") + Sum("errors"), Sum("skipped"));
        }
    }
}
