using System.Text.Json.Nodes;
using Attune.Core.Data;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>
/// Simple preference optimisation (arXiv 2405.14734): from a version and pairs to one whose mean log-probability of the chosen
/// exceeds that of the rejected by a margin. Without a reference: one model in memory.
/// </summary>
public static class Simpo
{
    private const string Stage = "simpo";

    /// <inheritdoc cref="Pretrain.Run"/>
    public static StageResult Run(SimpoOptions options, StageContext context)
    {
        // Options
        context.StartTorch(options);
        OptimiserRules.Check(options.Optimiser);
        _ = Schedules.Of(options, 1);
        var objective = new SimpoObjective(options.Beta, options.Gamma, options.SftWeight);
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
        IReadOnlyList<RaggedBatch> MicroBatches(long step) => [.. plan.At(step).Select(b => Batches.OfPairs(rows, b, share: true))];
        RaggedBatch[] validation = [.. Enumerable.Range(0, validationRows.Count).Chunk(options.MicroBatchPairs).Select(b => Batches.OfPairs(validationRows, b, share: true))];
        var estimate = CostEstimate.Of(config, options, optimiser, report.Tokens / Math.Max(1, plan.PerEpoch));
        if (steps >= CostEstimate.StepsWorthATrial)
            estimate = estimate.WithTrial(() => SimpoStep.Trial(decoder, optimiser, objective, MicroBatches(0)), (double)report.Tokens / plan.PerEpoch * options.Accumulation * steps);
        context.Show(new StagePreflight(Stage, report, estimate, steps, [PairMeters.ChosenFalls, .. check.Warnings()]));

        // Loop
        var state = run.Resume(optimiser);
        using var log = new MetricsLog(run.Path, state, context.Time);
        var (pace, clock) = (new Pace(context.Time, state.Seconds), new CheckpointClock(options, context.Time));
        context.TellStart(Stage, state, steps);
        while (state.Step < steps && !state.Stopped)
        {
            var (batches, rate, meters) = (MicroBatches(state.Step), options.LearningRate * schedule.At(state.Step), new PairMeters());
            var update = SimpoStep.Run(decoder, optimiser, new UpdateSettings(state.Step + 1, rate, options.Clip), objective, batches, meters);
            state = state.After(update, batches, pace);
            if (validation.Length > 0 && Schedules.Validates(options, state.Step, steps))
            {
                state = state.Observe(SimpoStep.Evaluate(decoder, objective, validation, new PairMeters()), options.Patience);
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
        _ = SimpoStep.Evaluate(decoder, objective, validation.Length > 0 ? validation : [.. Enumerable.Range(0, Math.Min(rows.Count, 256)).Chunk(options.MicroBatchPairs).Select(b => Batches.OfPairs(rows, b, share: true))], outcome);

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
