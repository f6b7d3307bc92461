using System.CommandLine;
using Attune.Core.Options;
using Attune.Prompts;

namespace Attune.App.Cli;

/// <summary>Runs the parsed command and turns what went wrong into one clear message and an exit code.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        var parsed = root.Parse(args.Length == 0 ? ["--help"] : args);
        if (parsed.CommandResult.Command.Subcommands.Count > 0 && parsed.UnmatchedTokens.Count == 0 && parsed.Errors.Count > 0)
        {
            // A group of commands alone: what it holds is the answer.
            await root.Parse([.. args, "--help"]).InvokeAsync();
            return ExitCode.BadInput;
        }
        if (parsed.Errors.Count > 0)
        {
            foreach (var message in Faults(parsed))
                Console.Error.WriteLine($"attune: {message}");
            Console.Error.WriteLine("  Run the same command with --help to see what it takes.");
            return ExitCode.BadInput;
        }
        using var interruption = new Interruption();
        try
        {
            // The library's own handler ends the process two seconds after Ctrl-C; a step and its checkpoint may take longer.
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, interruption.Token);
        }
        catch (AttuneException error)
        {
            Console.Error.WriteLine($"attune: {error.Describe()}");
            return ExitCode.Of(error);
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("attune: interrupted. The same command goes on where it stopped.");
            return ExitCode.Interrupted;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"attune: {error.Message} [ATT4900]");
            return ExitCode.Failed;
        }
        catch (Exception error)
        {
            Console.Error.WriteLine($"attune: this is a fault of Attune itself; please report it with what follows. [ATT4901]\n{error}");
            return ExitCode.Failed;
        }
    }

    /// <summary>What is wrong with the words: the nearest right one for each that is not known, else what the parser says.</summary>
    private static IEnumerable<string> Faults(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        string[] verbs = [.. command.Subcommands.Select(c => c.Name)], options = [.. command.Options.Select(o => o.Name)];
        // What follows the first unknown word follows from it.
        string[] unknown = [.. parsed.UnmatchedTokens.Take(1).Select(word => word.StartsWith('-')
            ? $"There is no option '{word}'. {Nearest.Hint(word, options)}"
            : verbs.Length > 0 ? $"There is no command '{word}'. {Nearest.Hint(word, verbs)}" : $"There is one word too many: '{word}'.")];
        return unknown.Length > 0 ? unknown : parsed.Errors.Select(error => error.Message);
    }
}
