using System.Text.Json.Nodes;
using Attune.Core.Data;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>
/// Odds ratio preference optimisation (arXiv 2403.07691): SFT on the chosen answers and a preference for them in one stage, so
/// that it may start from a Base version. Without a reference: one model in memory.
/// </summary>
public static class Orpo
{
    private const string Stage = "orpo";

    /// <inheritdoc cref="Pretrain.Run"/>
    public static StageResult Run(OrpoOptions options, StageContext context)
    {
        // Options
        context.StartTorch(options);
        OptimiserRules.Check(options.Optimiser);
        _ = Schedules.Of(options, 1);
        var parent = context.RequireParent();
        var (files, validationFiles) = (DataFile.Required(options.Data), DataFile.All(options.Validation));
        DataFile[] allFiles = [.. files, .. validationFiles];
        DataDigest[] digests = [.. allFiles.Select(f => f.Digest(0))];
        using var run = RunFolder.Open(context, RunIdentity.Of(Stage, options, context, digests));
        if (run.Finished() is { } finished)
            return finished;

        // Load
        var (tally, check, counts) = (new RowTally(), new PreferenceCheck(), new Dictionary<string, long>(StringComparer.Ordinal));
        var tokenizer = Tokenizer.Load(parent.Require(ModelFiles.Tokenizer));
        var contract = StageContract.Resolve(options.Contract, parent, tokenizer, options.ContractChange);
        var rows = PreferenceData.Pairs(Stage, files, contract, options, tally, counts, check);
        var validationRows = PreferenceData.Pairs(Stage, validationFiles, contract, options, new RowTally(), counts);
        using var decoder = Tuning.Load(parent, options, Stage);
        var config = contract.Endings(decoder.Config);
        using var optimiser = new Optimiser(OptimiserRules.Plan(decoder.Trained(), options.Optimiser, options.MatrixRateScale, options.WeightDecay), Schedules.Settings(options));
        var plan = new StepPlan(BatchPlan.ByRows(rows.Count, options.MicroBatchPairs, options.Seed, Stage, options.Order), options.Accumulation);
        var steps = Schedules.Steps(options, plan.PerEpoch, options.Accumulation);
        var schedule = Schedules.Of(options, steps);

        // Preflight
        var report = Preflight.OfPairs(rows, tally, tokenizer, contract.EndOfTurn);
        IReadOnlyList<OrpoBatch> MicroBatches(long step) => [.. plan.At(step).Select(b => OrpoBatch.Of(rows, b))];
        OrpoBatch[] validation = [.. Enumerable.Range(0, validationRows.Count).Chunk(options.MicroBatchPairs).Select(b => OrpoBatch.Of(validationRows, b))];
        var estimate = CostEstimate.Of(config, options, optimiser, report.Tokens / Math.Max(1, plan.PerEpoch));
        if (steps >= CostEstimate.StepsWorthATrial)
            estimate = estimate.WithTrial(() => OrpoStep.Trial(decoder, optimiser, options.Beta, MicroBatches(0)), (double)report.Tokens / plan.PerEpoch * options.Accumulation * steps);
        context.Show(new StagePreflight(Stage, report, estimate, steps, check.Warnings()));

        // Loop
        var state = run.Resume(optimiser);
        using var log = new MetricsLog(run.Path, state, context.Time);
        var (pace, clock) = (new Pace(context.Time, state.Seconds), new CheckpointClock(options, context.Time));
        context.TellStart(Stage, state, steps);
        while (state.Step < steps && !state.Stopped)
        {
            var (batches, rate, meters) = (MicroBatches(state.Step), options.LearningRate * schedule.At(state.Step), new PairMeters());
            var update = OrpoStep.Run(decoder, optimiser, new UpdateSettings(state.Step + 1, rate, options.Clip), options.Beta, batches, meters);
            state = state.After(update, [.. batches.Select(b => b.Rows)], pace);
            if (validation.Length > 0 && Schedules.Validates(options, state.Step, steps))
            {
                state = state.Observe(OrpoStep.Evaluate(decoder, options.Beta, validation, new PairMeters()), options.Patience);
                if (options.Patience > 0)
                    run.KeepBest(state, optimiser);
            }
            context.Tell(log, StageProgress.Of(Stage, state, steps, update, rate, pace) with { Metrics = meters.Figures });
            if (clock.IsDue(state.Step) || state.Step == steps || state.Stopped || context.Cancellation.IsCancellationRequested)
                run.Save(state, log, optimiser, options.KeepCheckpoints);
            context.Cancellation.ThrowIfCancellationRequested();
        }

        // Evaluate
        if (options.Patience > 0)
            run.RestoreBest(state, optimiser);
        var outcome = new PairMeters();
        _ = OrpoStep.Evaluate(decoder, options.Beta, validation.Length > 0 ? validation : [.. Enumerable.Range(0, Math.Min(rows.Count, 256)).Chunk(options.MicroBatchPairs).Select(b => OrpoBatch.Of(rows, b))], outcome);

        // Save
        var facts = LineageFacts.Of(config, state, report);
        facts[validation.Length > 0 ? "validation_rows" : "training_rows"] = new JsonObject(outcome.Figures.Select(f => KeyValuePair.Create(f.Key, (JsonNode?)f.Value)));
        return new FinishedModel
        {
            Stage = Stage, Options = options, Context = context, Module = decoder, Config = config, Tokenizer = tokenizer, Contract = contract,
            Data = [.. allFiles.Select((f, i) => digests[i] with { Rows = counts[f.Path] })], State = state, Facts = facts, Kind = options.Kind ?? VersionKind.Chat,
        }.Save(run);
    }
}
