using System.Text.Json.Nodes;
using Attune.Core.Data;
using Attune.Core.Randomness;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>
/// Kahneman–Tversky optimisation (arXiv 2402.01306): from a version and answers that are labelled good or bad one by one (thumbs)
/// to one that gives more of the good. The parent is the reference; its log-probabilities are computed once, before the first step.
/// </summary>
public static class Kto
{
    private const string Stage = "kto";

    /// <inheritdoc cref="Pretrain.Run"/>
    public static StageResult Run(KtoOptions options, StageContext context)
    {
        // Options
        context.StartTorch(options);
        OptimiserRules.Check(options.Optimiser);
        _ = Schedules.Of(options, 1);
        var objective = new KtoObjective(options.Beta, options.DesirableWeight, options.UndesirableWeight);
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
        var rows = PreferenceData.Labelled(Stage, files, contract, options, tally, counts, check);
        var validationRows = PreferenceData.Labelled(Stage, validationFiles, contract, options, new RowTally(), counts);
        using var decoder = Tuning.Load(parent, options, Stage);
        var config = contract.Endings(decoder.Config);
        using var optimiser = new Optimiser(OptimiserRules.Plan(decoder.Trained(), options.Optimiser, options.MatrixRateScale, options.WeightDecay), Schedules.Settings(options));
        var plan = new StepPlan(BatchPlan.ByRows(rows.Count, options.MicroBatchRows, options.Seed, Stage, options.Order), options.Accumulation);
        var steps = Schedules.Steps(options, plan.PerEpoch, options.Accumulation);
        var schedule = Schedules.Of(options, steps);

        // Preflight
        var report = Preflight.OfConversations([.. rows.Select(r => r.Row)], tally, tokenizer, contract.EndOfTurn);
        var warnings = Warnings(rows, options);
        var reference = new ReferenceScores(run.Path, decoder, context.Time);
        var answers = KtoRows.Of(rows, reference, options, Stage, context);
        IReadOnlyList<KtoBatch> MicroBatches(long step) => [.. plan.At(step).Select(b => answers.Batch(b))];
        var validationAnswers = KtoRows.Of(validationRows, reference, options, Stage, context);
        KtoBatch[] validation = [.. Enumerable.Range(0, validationRows.Count).Chunk(options.MicroBatchRows).Select(validationAnswers.Batch)];
        var estimate = CostEstimate.Of(config, options, optimiser, report.Tokens / Math.Max(1, plan.PerEpoch));
        if (steps >= CostEstimate.StepsWorthATrial)
            estimate = estimate.WithTrial(() => KtoStep.Trial(decoder, optimiser, objective, MicroBatches(0)), (double)report.Tokens / plan.PerEpoch * options.Accumulation * steps);
        context.Show(new StagePreflight(Stage, report, estimate, steps, [.. warnings, .. check.Warnings()]));

        // Loop
        var state = run.Resume(optimiser).Scored(reference);
        using var log = new MetricsLog(run.Path, state, context.Time);
        var (pace, clock) = (new Pace(context.Time, state.Seconds), new CheckpointClock(options, context.Time));
        context.TellStart(Stage, state, steps);
        while (state.Step < steps && !state.Stopped)
        {
            var (batches, rate, meters) = (MicroBatches(state.Step), options.LearningRate * schedule.At(state.Step), new KtoMeters());
            var update = KtoStep.Run(decoder, optimiser, new UpdateSettings(state.Step + 1, rate, options.Clip), objective, batches, meters);
            state = state.After(update, [.. batches.Select(b => b.Rows)], pace);
            if (validation.Length > 0 && Schedules.Validates(options, state.Step, steps))
            {
                state = state.Observe(KtoStep.Evaluate(decoder, objective, validation, new KtoMeters()), options.Patience);
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
        var outcome = new KtoMeters();
        _ = KtoStep.Evaluate(decoder, objective, validation.Length > 0 ? validation : [.. Enumerable.Range(0, Math.Min(rows.Count, 256)).Chunk(options.MicroBatchRows).Select(answers.Batch)], outcome);

        // Save
        var facts = LineageFacts.Of(config, state, report);
        facts[validation.Length > 0 ? "validation_rows" : "training_rows"] = new JsonObject(outcome.Figures.Select(f => KeyValuePair.Create(f.Key, (JsonNode?)f.Value)));
        return new FinishedModel
        {
            Stage = Stage, Options = options, Context = context, Module = decoder, Config = config, Tokenizer = tokenizer, Contract = contract,
            Data = [.. allFiles.Select((f, i) => digests[i] with { Rows = counts[f.Path] })], State = state, Facts = facts, Kind = options.Kind ?? VersionKind.Chat,
        }.Save(run);
    }

    /// <exception cref="TrainingException">ATT5207: all answers have the same label.</exception>
    private static IReadOnlyList<string> Warnings(IReadOnlyList<(TokenRow Row, bool Desirable)> rows, KtoOptions options)
    {
        var (good, all) = (rows.Count(r => r.Desirable), rows.Count);
        if (good == 0 || good == all)
            throw new TrainingException("ATT5207", FormattableString.Invariant($"All {all} answers are labelled {(good == 0 ? "undesirable" : "desirable")}: there is nothing to tell them from.")) { Field = "label", Hint = "Give answers of both kinds; good answers alone are for attune sft." };
        var balance = options.DesirableWeight * good / (options.UndesirableWeight * (all - good));
        // The paper's range for weight × count.
        return balance is >= 1 and <= 4 / 3.0 ? []
            : [FormattableString.Invariant($"{good} desirable and {all - good} undesirable answers: weight × count stands at {balance:F2}, outside of 1 to 1.33. Try --desirable-weight {options.DesirableWeight * Math.Clamp(balance, 1, 4 / 3.0) / balance:G3}.")];
    }
}

/// <summary>Labelled answers with their mismatched rows and what the reference gives both.</summary>
internal sealed record KtoRows(IReadOnlyList<TokenRow> Rows, IReadOnlyList<TokenRow> Mismatched, IReadOnlyList<float> Scores, IReadOnlyList<float> MismatchedScores, IReadOnlyList<bool> Desirable)
{
    public static KtoRows Of(IReadOnlyList<(TokenRow Row, bool Desirable)> rows, ReferenceScores reference, KtoOptions options, string stage, StageContext context)
    {
        TokenRow[] answers = [.. rows.Select(r => r.Row)];
        var mismatched = KtoStep.Mismatch(answers, options.SequenceLength, RandomStream.Of(options.Seed, stage, "mismatch"));
        return new(answers, mismatched, reference.Of(answers, context), reference.Of(mismatched, context), [.. rows.Select(r => r.Desirable)]);
    }

    public KtoBatch Batch(int[] indices) => new(Batches.Of(Rows, indices), Batches.Of(Mismatched, indices),
        [.. indices.Select(i => Scores[i])], [.. indices.Select(i => MismatchedScores[i])], [.. indices.Select(i => Desirable[i])]);
}
