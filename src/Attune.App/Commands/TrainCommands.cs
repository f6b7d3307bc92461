using System.CommandLine;
using Attune.App.Cli;
using Attune.App.Runs;
using Attune.Torch.Stages;
using Spectre.Console;

namespace Attune.App.Commands;

/// <summary><c>attune pretrain | sft | dpo | kto | orpo | simpo</c>: one stage from the command line.</summary>
internal static class TrainCommands
{
    public static Command Pretrain() =>
        Create<PretrainOptions>("pretrain", "Make a Base version from plain text.");

    public static Command Sft() =>
        Create<SftOptions>("sft", "Make an Instruct or Chat version from conversations (alpaca, sharegpt, messages).");

    public static Command Dpo() =>
        Create<DpoOptions>("dpo", "Align a version to preference pairs.");

    public static Command Kto() =>
        Create<KtoOptions>("kto", "Align a version to answers that are labelled good or bad one by one.");

    public static Command Orpo() =>
        Create<OrpoOptions>("orpo", "SFT and preference in one stage, without a reference model.");

    public static Command Simpo() =>
        Create<SimpoOptions>("simpo", "Align a version to preference pairs without a reference model.");

    private static Command Create<T>(string name, string description)
        where T : TrainingOptions => Verb.Create<Place, T>(name, description, (place, options, cancel) =>
        {
            try
            {
                var outcome = StageRunner.Run(options, place, cancel);
                Terminal.Out.Line($"[green]stored[/] {outcome.Version.Name} ({outcome.Version.Kind}, {outcome.Version.ShortDigest}) in {place.Store}");
                var (verb, remark) = outcome.Version.Kind == Attune.Core.Versions.VersionKind.Base ? ("generate", " \"Once upon a time\"") : ("chat", "");
                Terminal.Out.Line($"Next: ./attune {verb} {outcome.Version.Name}{remark}");
            }
            catch (PreflightShown)
            {
                // Asked for, and shown.
            }
            return Task.FromResult(ExitCode.Done);
        }, nameof(TrainingOptions.Data));
}
