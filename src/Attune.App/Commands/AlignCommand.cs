using System.CommandLine;
using Attune.App.Alignment;
using Attune.App.Cli;

namespace Attune.App.Commands;

/// <summary><c>attune align VERSION --data … --budget 20m</c>: chooses, trains, measures, and returns a version or says no.</summary>
internal static class AlignCommand
{
    public static Command Create() => Verb.Create<AlignOptions>(
        "align", "Align a version to whatever preferences there are, within a budget: method and options are chosen, told and measured.",
        (options, cancel) => Task.FromResult(Align.Run(options, cancel)), nameof(AlignOptions.Version));
}
