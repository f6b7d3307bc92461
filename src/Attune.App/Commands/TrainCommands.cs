using System.CommandLine;
using Attune.App.Cli;
using Attune.App.Runs;
using Attune.Core.Versions;
using Attune.Torch.Stages;
using Spectre.Console;

namespace Attune.App.Commands;

/// <summary><c>attune pretrain | sft | reward | ppo | grpo | rloo | dpo | kto | orpo | simpo</c>: one stage from the command line.</summary>
internal static class TrainCommands
{
    public static Command Pretrain() =>
        Create<PretrainOptions>("pretrain", "Make a Base version from plain text.");

    public static Command Sft() =>
        Create<SftOptions>("sft", "Make an Instruct or Chat version from conversations (alpaca, sharegpt, messages).");

    public static Command Dpo() =>
        Create<DpoOptions>("dpo", "Align a version to preference pairs.");

    public static Command Reward()
    {
        var reward = Create<RewardOptions>("reward", "Make a model that scores answers from preferences (pairs or rankings).");
        reward.Subcommands.Add(Create<RewardRefreshOptions>("refresh", "Train a reward model on with what a policy answers now, labelled by rules or a judge."));
        return reward;
    }

    public static Command Ppo() =>
        Create<PpoOptions>("ppo", "Reinforce the answers that a reward model or rules score well (RLHF), held near the parent.");

    public static Command Grpo() =>
        Create<GrpoOptions>("grpo", "Reinforce the better of several answers to a prompt; no value model.");

    public static Command Rloo() =>
        Create<RlooOptions>("rloo", "Reinforce answers by how much they exceed the mean of the others; no value model.");

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
                Terminal.Out.Line($"Next: ./attune {Next(outcome.Version)}");
            }
            catch (PreflightShown)
            {
                // Asked for, and shown.
            }
            return Task.FromResult(ExitCode.Done);
        }, nameof(TrainingOptions.Data));

    private static string Next(ModelVersion version) => version.Kind switch
    {
        VersionKind.Base => $"generate {version.Name} \"Once upon a time\"",
        VersionKind.Reward => $"ppo PROMPTS --parent VERSION --reward-model {version.Name}",
        _ => $"chat {version.Name}",
    };
}
