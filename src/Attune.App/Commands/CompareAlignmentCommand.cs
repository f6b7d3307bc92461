using System.CommandLine;
using Attune.App.Alignment;
using Attune.App.Cli;

namespace Attune.App.Commands;

/// <summary><c>attune compare-alignment</c>: SFT, RLHF and DPO from one version on one set of preferences, measured.</summary>
internal static class CompareAlignmentCommand
{
    public static Command Create() => Verb.Create<CompareAlignmentOptions>(
        "compare-alignment", "SFT, RLHF and DPO from the same version on the same preferences: cost, quality, stability, and four questions answered.",
        (options, cancel) => Task.FromResult(new CompareAlignment(options).Run(cancel)));
}
