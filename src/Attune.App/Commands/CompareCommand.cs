using System.CommandLine;
using Attune.App.Cli;
using Attune.App.Runs;

namespace Attune.App.Commands;

/// <summary><c>attune compare A B C</c>: any versions, side by side on the same questions of a world.</summary>
internal static class CompareCommand
{
    public static Command Create() => Verb.Create<ComparisonOptions>(
        "compare", "What each of several versions is good and bad at, measured on the same questions.", (options, cancel) =>
        {
            new Comparison(options).Run(cancel);
            return Task.FromResult(ExitCode.Done);
        }, nameof(ComparisonOptions.Versions));
}
