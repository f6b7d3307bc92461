using Attune.Core.Data;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Torch.Losses;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>
/// Direct preference optimisation (arXiv 2305.18290): from a version and pairs to one that prefers the chosen. The parent
/// is where the policy starts and what it is compared with; its log-probabilities are computed once, before the first step.
/// </summary>
public static class Dpo
{
    private const string Stage = "dpo";

    /// <inheritdoc cref="Pretrain.Run"/>
    public static StageResult Run(DpoOptions options, StageContext context)
    {
        if (options.Loss == DpoListwise.Loss)
            return DpoListwise.Run(options, context);

        // Options
        context.StartTorch(options);
        OptimiserRules.Check(options.Optimiser);
        DpoLoss.Check(options.Loss, options.Beta, options.LabelSmoothing);
        _ = Schedules.Of(options, 1);
        var objective = new DpoObjective(options.Loss, options.Beta, options.LabelSmoothing, options.SftWeight);
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
        var reference = new ReferenceScores(run.Path, decoder, context.Time);
        var scores = reference.Of(rows, context);
        PairBatch Pairs(IReadOnlyList<PairRow> from, IReadOnlyList<float> scored, int[] batch) => new(Batches.OfPairs(from, batch, share: true), [.. batch.Select(i => scored[2 * i]), .. batch.Select(i => scored[2 * i + 1])], [.. batch.Select(i => (float)(options.MarginScale * (from[i].Margin ?? 0)))]);
        IReadOnlyList<PairBatch> MicroBatches(long step) => [.. plan.At(step).Select(b => Pairs(rows, scores, b))];
        var validationScores = reference.Of(validationRows, context);
        PairBatch[] validation = [.. Enumerable.Range(0, validationRows.Count).Chunk(options.MicroBatchPairs).Select(b => Pairs(validationRows, validationScores, b))];
        var estimate = CostEstimate.Of(config, options, optimiser, report.Tokens / Math.Max(1, plan.PerEpoch));
        if (steps >= CostEstimate.StepsWorthATrial)
            estimate = estimate.WithTrial(() => DpoStep.Trial(decoder, optimiser, objective, MicroBatches(0)), (double)report.Tokens / plan.PerEpoch * options.Accumulation * steps);
        context.Show(new StagePreflight(Stage, report, estimate, steps, [PairMeters.ChosenFalls, .. check.Warnings()]));

        // Loop
        var state = run.Resume(optimiser).Scored(reference);
        using var log = new MetricsLog(run.Path, state, context.Time);
        var (pace, clock) = (new Pace(context.Time, state.Seconds), new CheckpointClock(options, context.Time));
        context.TellStart(Stage, state, steps);
        while (state.Step < steps && !state.Stopped)
        {
            var (batches, rate, meters) = (MicroBatches(state.Step), options.LearningRate * schedule.At(state.Step), new PairMeters());
            var update = DpoStep.Run(decoder, optimiser, new UpdateSettings(state.Step + 1, rate, options.Clip), objective, batches, meters);
            state = state.After(update, [.. batches.Select(b => b.Rows)], pace);
            if (validation.Length > 0 && Schedules.Validates(options, state.Step, steps))
            {
                state = state.Observe(DpoStep.Evaluate(decoder, objective, validation, new PairMeters()), options.Patience);
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
        var outcome = Measure(decoder, objective, validation.Length > 0 ? validation : [.. Enumerable.Range(0, Math.Min(rows.Count, 256)).Chunk(options.MicroBatchPairs).Select(b => Pairs(rows, scores, b))]);

        // Save
        var facts = LineageFacts.Of(config, state, report);
        facts[validation.Length > 0 ? "validation_pairs" : "training_pairs"] = outcome;
        return new FinishedModel
        {
            Stage = Stage, Options = options, Context = context, Module = decoder, Config = config, Tokenizer = tokenizer, Contract = contract,
            Data = [.. allFiles.Select((f, i) => digests[i] with { Rows = counts[f.Path] })], State = state, Facts = facts, Kind = options.Kind ?? VersionKind.Chat,
        }.Save(run);
    }

    private static System.Text.Json.Nodes.JsonObject Measure(Decoder decoder, DpoObjective objective, IReadOnlyList<PairBatch> pairs)
    {
        var meters = new PairMeters();
        _ = DpoStep.Evaluate(decoder, objective, pairs, meters);
        return new(meters.Figures.Select(f => KeyValuePair.Create(f.Key, (System.Text.Json.Nodes.JsonNode?)f.Value)));
    }
}
