using System.Text.Json.Nodes;
using Attune.Core.Data;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary><see cref="Dpo"/> on whole rankings: <c>--loss listwise</c>. Graded feedback keeps all of its order, where pairs take it two by two.</summary>
internal static class DpoListwise
{
    /// <summary>The name that options know it by.</summary>
    public const string Loss = "listwise";

    private const string Stage = "dpo";

    /// <inheritdoc cref="Pretrain.Run"/>
    public static StageResult Run(DpoOptions options, StageContext context)
    {
        // Options
        context.StartTorch(options);
        OptimiserRules.Check(options.Optimiser);
        _ = Schedules.Of(options, 1);
        if (options.LabelSmoothing != 0)
            throw new TrainingException("ATT5103", "The listwise loss has no label smoothing.") { Field = "label_smoothing", Hint = "Set label_smoothing to 0." };
        var objective = new DpoObjective(options.Loss, options.Beta, 0, options.SftWeight);
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
        var lists = PreferenceData.Rankings(Stage, files, contract, options, tally, counts, check);
        var validationLists = PreferenceData.Rankings(Stage, validationFiles, contract, options, new RowTally(), counts);
        using var decoder = Tuning.Load(parent, options, Stage);
        var config = contract.Endings(decoder.Config);
        using var optimiser = new Optimiser(OptimiserRules.Plan(decoder.Trained(), options.Optimiser, options.MatrixRateScale, options.WeightDecay), Schedules.Settings(options));
        var plan = new StepPlan(BatchPlan.ByRows(lists.Count, options.MicroBatchPairs, options.Seed, Stage, options.Order), options.Accumulation);
        var steps = Schedules.Steps(options, plan.PerEpoch, options.Accumulation);
        var schedule = Schedules.Of(options, steps);

        // Preflight
        var report = Preflight.OfConversations([.. lists.SelectMany(l => l.Rows)], tally, tokenizer, contract.EndOfTurn);
        var reference = new ReferenceScores(run.Path, decoder, context.Time);
        var rankings = ScoredLists.Of(lists, reference, context);
        IReadOnlyList<ListBatch> MicroBatches(long step) => [.. plan.At(step).Select(b => rankings.Batch(b))];
        var validationRankings = ScoredLists.Of(validationLists, reference, context);
        ListBatch[] validation = [.. Enumerable.Range(0, validationLists.Count).Chunk(options.MicroBatchPairs).Select(b => validationRankings.Batch(b))];
        var estimate = CostEstimate.Of(config, options, optimiser, report.Tokens / Math.Max(1, plan.PerEpoch));
        if (steps >= CostEstimate.StepsWorthATrial)
            estimate = estimate.WithTrial(() => ListwiseStep.Trial(decoder, optimiser, objective, MicroBatches(0)), (double)report.Tokens / plan.PerEpoch * options.Accumulation * steps);
        context.Show(new StagePreflight(Stage, report, estimate, steps, [PairMeters.ChosenFalls, .. check.Warnings()]));

        // Loop
        var state = run.Resume(optimiser).Scored(reference);
        using var log = new MetricsLog(run.Path, state, context.Time);
        var (pace, clock) = (new Pace(context.Time, state.Seconds), new CheckpointClock(options, context.Time));
        context.TellStart(Stage, state, steps);
        while (state.Step < steps && !state.Stopped)
        {
            var (batches, rate, meters) = (MicroBatches(state.Step), options.LearningRate * schedule.At(state.Step), new PairMeters());
            var update = ListwiseStep.Run(decoder, optimiser, new UpdateSettings(state.Step + 1, rate, options.Clip), objective, batches, meters);
            state = state.After(update, [.. batches.Select(b => b.Rows)], pace);
            if (validation.Length > 0 && Schedules.Validates(options, state.Step, steps))
            {
                state = state.Observe(ListwiseStep.Evaluate(decoder, objective, validation, new PairMeters()), options.Patience);
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
        _ = ListwiseStep.Evaluate(decoder, objective, validation.Length > 0 ? validation : [.. Enumerable.Range(0, Math.Min(lists.Count, 256)).Chunk(options.MicroBatchPairs).Select(b => rankings.Batch(b))], outcome);

        // Save
        var facts = LineageFacts.Of(config, state, report);
        facts[validation.Length > 0 ? "validation_pairs" : "training_pairs"] = new JsonObject(outcome.Figures.Select(f => KeyValuePair.Create(f.Key, (JsonNode?)f.Value)));
        return new FinishedModel
        {
            Stage = Stage, Options = options, Context = context, Module = decoder, Config = config, Tokenizer = tokenizer, Contract = contract,
            Data = [.. allFiles.Select((f, i) => digests[i] with { Rows = counts[f.Path] })], State = state, Facts = facts, Kind = options.Kind ?? VersionKind.Chat,
        }.Save(run);
    }

    /// <summary>Rankings with what the reference gives each answer.</summary>
    private sealed record ScoredLists(IReadOnlyList<ListRow> Lists, IReadOnlyList<float> Scores, int[] First)
    {
        public static ScoredLists Of(IReadOnlyList<ListRow> lists, ReferenceScores reference, StageContext context)
        {
            var first = new int[lists.Count + 1];
            for (var i = 0; i < lists.Count; i++)
                first[i + 1] = first[i] + lists[i].Rows.Count;
            return new(lists, reference.Of([.. lists.SelectMany(l => l.Rows)], context), first);
        }

        public ListBatch Batch(int[] indices)
        {
            var (rows, starts) = Batches.OfRankings(Lists, indices, keepLast: 1);
            return new ListBatch(rows, starts, [.. indices.SelectMany(i => Enumerable.Range(First[i], Lists[i].Rows.Count)).Select(i => Scores[i])]);
        }
    }
}
