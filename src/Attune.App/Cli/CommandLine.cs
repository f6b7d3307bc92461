using System.CommandLine;
using Attune.Prompts;

namespace Attune.App.Cli;

/// <summary>Runs the parsed command and turns what went wrong into one clear message and an exit code.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
                Console.Error.WriteLine($"attune: {error.Message}");
            Console.Error.WriteLine("  Run the same command with --help to see what it takes.");
            return ExitCode.BadInput;
        }
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (AttuneException error)
        {
            Console.Error.WriteLine($"attune: {error.Describe()}");
            return IsRefusal(error) ? ExitCode.BadInput : ExitCode.Failed;
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("attune: interrupted. The same command goes on where it stopped.");
            return ExitCode.Interrupted;
        }
        catch (IOException error)
        {
            Console.Error.WriteLine($"attune: {error.Message} [ATT4900]");
            return ExitCode.Failed;
        }
    }

    /// <summary>Torch's errors (5xxx) come out of a run that had started; everything else is refused input.</summary>
    private static bool IsRefusal(AttuneException error) => !error.Code.StartsWith("ATT5", StringComparison.Ordinal);
}
