using Attune.Core.Data;
using Attune.Core.Checkpoints;
using Attune.Core.Exchange;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>
/// Supervised fine-tuning: from a version and conversations to one that answers. The loss is on what the assistant says,
/// its end of turn included; prompts are what inference will see, for both come from the prompt contract.
/// </summary>
public static class Sft
{
    private const string Stage = "sft";

    /// <inheritdoc cref="Pretrain.Run"/>
    public static StageResult Run(SftOptions options, StageContext context)
    {
        // Options
        context.StartTorch(options);
        OptimiserRules.Check(options.Optimiser);
        StepPlan.Check(options.MicroBatchTokens, options.SequenceLength);
        _ = Schedules.Of(options, 1);
        var parent = context.RequireParent();
        var (files, validationFiles, replayFiles) = (DataFile.Required(options.Data), DataFile.All(options.Validation), DataFile.All(options.Replay));
        DataFile[] allFiles = [.. files, .. validationFiles, .. replayFiles];
        DataDigest[] digests = [.. allFiles.Select(f => f.Digest(0))];
        using var run = RunFolder.Open(context, RunIdentity.Of(Stage, options, context, digests));
        if (run.Finished() is { } finished)
            return finished;

        // Load
        var tally = new RowTally();
        if (options.NewTokens.Count > 0)
            parent = GrownModel.Write(parent, options.NewTokens, run.Grown);
        var tokenizer = Tokenizer.Load(parent.Require(ModelFiles.Tokenizer));
        var contract = StageContract.Resolve(options.Contract, parent, tokenizer, options.ContractChange);
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var talks = ConversationRows(files, contract, options, tally, counts);
        var replayed = Replay.Rows(replayFiles, options.ReplayShare, talks.Sum(r => (long)r.Ids.Length), tokenizer, options.SequenceLength, options.Seed);
        foreach (var file in replayFiles)
            counts[file.Path] = replayed.Count(r => r.Origin.File == file.Path);
        var rows = Replay.Interleave(talks, replayed);
        var validation = PretrainData.Batches(ConversationRows(validationFiles, contract, options, new RowTally(), counts), options.MicroBatchTokens);
        var tuning = options.ForNewRows(parent);
        using var decoder = Tuning.Load(parent, tuning, Stage);
        var config = contract.Endings(decoder.Config);
        var dropout = AdapterDropout.Of(decoder, tuning);
        using var optimiser = new Optimiser(OptimiserRules.Plan(decoder.Trained(), options.Optimiser, options.MatrixRateScale, options.WeightDecay), Schedules.Settings(options));
        var plan = new StepPlan(BatchPlan.ByTokens(rows.Select(r => r.Ids.Length), options.MicroBatchTokens, options.Seed, Stage, options.Order), options.Accumulation);
        var steps = Schedules.Steps(options, plan.PerEpoch, options.Accumulation);
        var schedule = Schedules.Of(options, steps);
        IReadOnlyList<RaggedBatch> MicroBatches(long step) => [.. plan.At(step).Select(b => Batches.Of(rows, b))];

        // Preflight
        _ = Preflight.OfConversations(talks, tally, tokenizer, contract.EndOfTurn);
        var report = Preflight.OfConversations(rows, tally, tokenizer, contract.EndOfTurn);
        var estimate = CostEstimate.Of(config, tuning, optimiser, options.MicroBatchTokens);
        if (steps >= CostEstimate.StepsWorthATrial)
            estimate = estimate.WithTrial(() => SftStep.Trial(decoder, optimiser, MicroBatches(0)), (double)report.Tokens / plan.PerEpoch * options.Accumulation * steps);
        context.Show(new StagePreflight(Stage, report, estimate, steps, Warnings(tuning, config, contract, files)));

        // Loop
        var state = run.Resume(optimiser);
        using var log = new MetricsLog(run.Path, state, context.Time);
        var (pace, clock) = (new Pace(context.Time, state.Seconds), new CheckpointClock(options, context.Time));
        context.TellStart(Stage, state, steps);
        while (state.Step < steps && !state.Stopped)
        {
            var (batches, rate) = (MicroBatches(state.Step), options.LearningRate * schedule.At(state.Step));
            var update = SftStep.Run(decoder, optimiser, new UpdateSettings(state.Step + 1, rate, options.Clip), batches, dropout);
            state = state.After(update, batches, pace);
            if (validation.Count > 0 && Schedules.Validates(options, state.Step, steps))
            {
                state = state.Observe(SftStep.Evaluate(decoder, validation), options.Patience);
                if (options.Patience > 0)
                    run.KeepBest(state, optimiser);
            }
            context.Tell(log, StageProgress.Of(Stage, state, steps, update, rate, pace));
            if (clock.IsDue(state.Step) || state.Step == steps || state.Stopped || context.Cancellation.IsCancellationRequested)
                run.Save(state, log, optimiser, options.KeepCheckpoints);
            context.Cancellation.ThrowIfCancellationRequested();
        }

        // Save
        if (options.Patience > 0)
            run.RestoreBest(state, optimiser);
        ModelFolder.Write(run.Model, decoder, config, tokenizer, parent);
        contract.Write(run.Model, parent);
        var lineage = new Lineage
        {
            Parent = context.ParentDigest,
            Stage = Stage,
            Options = RunIdentity.Options(options),
            Data = [.. allFiles.Select((f, i) => digests[i] with { Rows = counts[f.Path] })],
            Seed = options.Seed,
            CodeVersion = RunIdentity.CodeVersion,
            Kernels = RunIdentity.Kernels,
            Contract = contract.Contract.Hash,
            Facts = contract.Note(LineageFacts.Of(config, state, report)).WithLicence(parent),
        };
        var kind = options.Kind ?? VersionKind.Instruct;
        ModelCard.Write(Path.Combine(run.Model, ModelFiles.Card), kind, lineage, config, ModelFolder.ContractOf(run.Model));
        return run.Finish(kind, lineage, RunFacts.Of(config, state));
    }

    private static List<TokenRow> ConversationRows(IEnumerable<DataFile> files, StageContract contract, SftOptions options, RowTally tally, Dictionary<string, long> counts)
    {
        var rows = new List<TokenRow>();
        foreach (var file in files)
        {
            var taken = file.Weigh(StageContract.Placed(DataReader.ReadConversations(file.Path, tally: tally), read =>
                TrainingRows.OfConversations(read, contract.Render, options.SequenceLength, options.Overlong, tally)), options.Seed, Stage);
            counts[file.Path] = taken.Count;
            rows.AddRange(taken);
        }
        return rows;
    }

    private static IReadOnlyList<string> Warnings(SftOptions options, DecoderConfig config, StageContract contract, IEnumerable<DataFile> files)
    {
        var warnings = new List<string>();
        if (options.SequenceLength > config.ContextLength)
            warnings.Add(FormattableString.Invariant($"sequence_length {options.SequenceLength} is beyond the window of {config.ContextLength} that the parent declares."));
        if (options.Lora is { Rank: > 0, ModulesToSave: [] })
            warnings.Add("LoRA leaves embeddings and head as they are: where the parent never trained the end of turn, it may never stop (Qwen3#1064). --lora-modules-to-save embed_tokens lm_head trains them too.");
        warnings.AddRange(files.Select(f => contract.Edge(DataReader.ReadConversations(f.Path))).OfType<string>());
        return warnings;
    }
}
