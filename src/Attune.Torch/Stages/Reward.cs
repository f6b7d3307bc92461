using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>
/// A reward model (Ouyang et al., arXiv 2203.02155): from a version and preferences to one that scores answers, saved as a
/// <c>LlamaForSequenceClassification</c>. From a language model it takes the body and draws a new head; from a reward model
/// it goes on.
/// </summary>
public static class Reward
{
    private const string Stage = "reward";

    /// <inheritdoc cref="Pretrain.Run"/>
    public static StageResult Run(RewardOptions options, StageContext context)
    {
        // Options
        context.StartTorch(options);
        OptimiserRules.Check(options.Optimiser);
        RewardData.Check(options);
        _ = Schedules.Of(options, 1);
        var objective = new RewardObjective(options.Centring);
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
        var rows = RewardData.Read(Stage, files, contract, options, tally, counts, check);
        var validationRows = RewardData.Read(Stage, validationFiles, contract, options, new RowTally(), counts);
        using var model = context.AdapterBase is { } beneath ? RewardFiles.OpenAdapter(parent, beneath, options, Stage) : RewardFiles.Open(parent, options, Stage);
        var config = contract.Endings(model.Config);
        using var optimiser = new Optimiser(OptimiserRules.Plan(model.Trained(), options.Optimiser, options.MatrixRateScale, options.WeightDecay), Schedules.Settings(options));
        var plan = new StepPlan(BatchPlan.ByRows(rows.Count, options.MicroBatchPairs, options.Seed, Stage, options.Order), options.Accumulation);
        var steps = Schedules.Steps(options, plan.PerEpoch, options.Accumulation);
        var schedule = Schedules.Of(options, steps);
        IReadOnlyList<RewardBatch> MicroBatches(long step) => [.. plan.At(step).Select(b => RewardData.Batch(rows, b, options.MarginScale))];
        RewardBatch[] validation = [.. Enumerable.Range(0, validationRows.Count).Chunk(options.MicroBatchPairs).Select(b => RewardData.Batch(validationRows, b, options.MarginScale))];

        // Preflight
        var report = Preflight.OfConversations([.. rows.SelectMany(r => r.Rows)], tally, tokenizer, contract.EndOfTurn);
        var estimate = CostEstimate.Of(config, options, optimiser, report.Tokens / Math.Max(1, plan.PerEpoch));
        if (steps >= CostEstimate.StepsWorthATrial)
            estimate = estimate.WithTrial(() => RewardStep.Trial(model, optimiser, objective, MicroBatches(0)), (double)report.Tokens / plan.PerEpoch * options.Accumulation * steps);
        context.Show(new StagePreflight(Stage, report, estimate, steps, 
        [
            .. validation.Length > 0 ? (string[])[] : ["No --validation: accuracy and calibration will be those of pairs that the model was trained on, which say little."],
            .. check.Warnings(),
        ]));

        // Loop
        var state = run.Resume(optimiser);
        using var log = new MetricsLog(run.Path, state, context.Time);
        var (pace, clock) = (new Pace(context.Time, state.Seconds), new CheckpointClock(options, context.Time));
        context.TellStart(Stage, state, steps);
        while (state.Step < steps && !state.Stopped)
        {
            var (batches, rate, meters) = (MicroBatches(state.Step), options.LearningRate * schedule.At(state.Step), new RewardMeters());
            var update = RewardStep.Run(model, optimiser, new UpdateSettings(state.Step + 1, rate, options.Clip), objective, batches, meters);
            state = state.After(update, [.. batches.Select(b => b.Rows)], pace);
            if (validation.Length > 0 && Schedules.Validates(options, state.Step, steps))
            {
                state = state.Observe(RewardStep.Evaluate(model, objective, validation, new RewardMeters()), options.Patience);
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
        var outcome = new RewardMeters();
        _ = RewardStep.Evaluate(model, objective, validation.Length > 0 ? validation : [.. Enumerable.Range(0, Math.Min(rows.Count, 256)).Chunk(options.MicroBatchPairs).Select(b => RewardData.Batch(rows, b, options.MarginScale))], outcome);

        // Save
        var facts = LineageFacts.Of(config, state, report);
        facts[validation.Length > 0 ? "validation_pairs" : "training_pairs"] = outcome.ToJson();
        return new FinishedModel
        {
            Stage = Stage, Options = options, Context = context, Module = model, Config = config, Tokenizer = tokenizer, Contract = contract,
            Data = [.. allFiles.Select((f, i) => digests[i] with { Rows = counts[f.Path] })], State = state, Facts = facts, Kind = VersionKind.Reward,
        }.Save(run);
    }
}
