using System.Text.Json.Nodes;
using Attune.App.Cli;
using Attune.Core.Checkpoints.Adapters;
using Attune.Core.Preferences;
using Attune.Core.Versions;
using Attune.Torch.Native;
using Attune.Torch.Stages;

namespace Attune.App.Runs;

/// <summary>A stage that has run: the version it made, and what it cost.</summary>
internal sealed record StageOutcome(ModelVersion Version, RunFacts Facts);

/// <summary>Runs one stage from the command line or a recipe: opens the parent, shows the run, stores the version with its report.</summary>
internal static class StageRunner
{
    /// <summary>Runs the stage that these options belong to.</summary>
    /// <exception cref="PreflightShown">The place asked for the preflight only.</exception>
    /// <param name="options">What is run.</param>
    /// <param name="place">Where.</param>
    /// <param name="cancel">Stops after the step at hand.</param>
    /// <param name="preflight">Sees the preflight instead of the terminal.</param>
    /// <param name="lineageNote">Why these options: goes into the version's lineage as the fact <c>align</c>.</param>
    public static StageOutcome Run(TrainingOptions options, Place place, CancellationToken cancel, IProgress<StagePreflight>? preflight = null, JsonObject? lineageNote = null)
    {
        var stage = NameOf(options);
        var store = ModelStore.Open(place.Store);
        var saveAs = place.SaveAs;
        if (saveAs is not null)
            ModelStore.CheckName(saveAs);

        TorchRuntime.Initialise(place.Threads == 0 ? null : place.Threads);
        var parent = place.Parent is { } reference ? Running.Open(place.Store, reference) : default;
        var beneath = options is RewardRefreshOptions && parent.Version is { } adapted ? AdapterBase.Of(store, adapted) : null;
        var display = new StageDisplay(saveAs ?? stage);
        using var judge = options is IJudged judged ? OpenJudge.Of(judged.Judge, judged.Endpoint, judged.Model, judged.Constitution, place.Store) : null;
        var context = new StageContext
        {
            RunFolder = place.Run ?? Path.Combine("runs", $"{stage}-{(saveAs ?? "unnamed").Replace(':', '-')}"),
            Parent = parent.Files,
            ParentDigest = parent.Version?.Digest,
            ParentKind = parent.Version?.Kind,
            RewardModel = options is RolloutOptions { RewardModel: { } named } ? Running.Open(place.Store, named).Files : null,
            AdapterBase = beneath?.Files,
            AdapterBaseDigest = beneath?.Digest,
            Policy = options is RewardRefreshOptions { Policy: { } policy } ? Running.Open(place.Store, policy).Files : null,
            Labels = judge is null ? null : new RankedReward(judge.Ranker, cancel),
            Restart = place.Restart,
            Progress = display,
            Preflight = preflight ?? new PreflightView(place.PreflightOnly),
            Cancellation = cancel,
        };

        // What stages took is compared: each is measured by itself.
        PeakMemory.Reset();
        StageResult result;
        try
        {
            result = options switch
            {
                PretrainOptions pretrain => Pretrain.Run(pretrain, context),
                SftOptions sft => Sft.Run(sft, context),
                RewardOptions reward => Reward.Run(reward, context),
                RewardRefreshOptions refresh => RewardRefresh.Run(refresh, context),
                PpoOptions ppo => Ppo.Run(ppo, context),
                GrpoOptions grpo => Grpo.Run(grpo, context),
                RlooOptions rloo => Grpo.Run(rloo, context),
                DpoOptions dpo => Dpo.Run(dpo, context),
                KtoOptions kto => Kto.Run(kto, context),
                OrpoOptions orpo => Orpo.Run(orpo, context),
                SimpoOptions simpo => Simpo.Run(simpo, context),
                _ => throw new ArgumentException($"There is no stage for {options.GetType().Name}.", nameof(options)),
            };
        }
        finally
        {
            display.Close();
        }
        var version = store.Add(lineageNote is null ? result.Draft : Noted(result.Draft, lineageNote), saveAs, cancel);
        if (place.SaveAdapter is { } adapter)
            AdapterFiles.Export(version.Files, adapter, beneath?.Name ?? place.Parent);
        if (store.Reports(version.Digest).All(r => r.Kind != "run"))
            store.AttachReport(version.Digest, "run", RunReport(stage, result.Facts));
        return new(version, result.Facts);
    }

    private static VersionDraft Noted(VersionDraft draft, JsonObject note)
    {
        var facts = draft.Lineage.Facts.DeepClone().AsObject();
        facts["align"] = note.DeepClone();
        return draft with { Lineage = draft.Lineage with { Facts = facts } };
    }

    /// <summary>The stem that a stage has everywhere.</summary>
    public static string NameOf(TrainingOptions options) => options switch
    {
        PretrainOptions => "pretrain",
        SftOptions => "sft",
        RewardOptions => "reward",
        RewardRefreshOptions => "refresh",
        PpoOptions => "ppo",
        GrpoOptions => "grpo",
        RlooOptions => "rloo",
        DpoOptions => "dpo",
        KtoOptions => "kto",
        OrpoOptions => "orpo",
        SimpoOptions => "simpo",
        _ => throw new ArgumentException($"There is no stage for {options.GetType().Name}.", nameof(options)),
    };

    private static JsonObject RunReport(string stage, RunFacts facts) => new()
    {
        ["schema"] = 1,
        ["kind"] = "run",
        ["stage"] = stage,
        ["steps"] = facts.Steps,
        ["tokens"] = facts.Tokens,
        ["target_tokens"] = facts.TargetTokens,
        ["sampled_tokens"] = facts.Sampled,
        ["sampling_seconds"] = facts.SamplingSeconds,
        ["reference_seconds"] = facts.ReferenceSeconds,
        ["judge_calls"] = facts.JudgeCalls,
        ["judge_seconds"] = facts.JudgeSeconds,
        ["seconds"] = facts.Seconds,
        ["tokens_per_second"] = facts.TokensPerSecond,
        ["peak_memory_bytes"] = facts.PeakMemoryBytes,
        ["parameters"] = facts.Parameters,
        ["threads"] = facts.Threads,
        ["ceiling_flops"] = facts.CeilingPerSecond,
        ["share_of_ceiling"] = facts.ShareOfCeiling,
        ["loss"] = facts.Loss,
        ["validation_loss"] = facts.ValidationLoss,
    };
}
