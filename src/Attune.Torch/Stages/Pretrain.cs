using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Torch.Models;
using Attune.Torch.Native;
using Attune.Torch.Optimisers;
using TorchSharp;

namespace Attune.Torch.Stages;

/// <summary>
/// Pretraining: from text to a Base model. It predicts the next token of any text and knows nothing of instructions:
/// no template, and the loss is on every token.
/// </summary>
public static class Pretrain
{
    private const string Stage = "pretrain";

    /// <summary>Runs the stage, or goes on where the run folder says that it stopped.</summary>
    /// <exception cref="Prompts.AttuneException">Bad options or data before the first step; ATT5120 where the run diverges.</exception>
    /// <exception cref="OperationCanceledException">Cancelled: a checkpoint is written, the same call goes on.</exception>
    public static StageResult Run(PretrainOptions options, StageContext context)
    {
        // Options
        context.StartTorch(options);
        OptimiserRules.Check(options.Optimiser);
        StepPlan.Check(options.MicroBatchTokens, options.SequenceLength);
        _ = Schedules.Of(options, 1);
        var (files, validationFiles) = (DataFile.Required(options.Data), DataFile.All(options.Validation));
        var tokenizerFiles = DataFile.All(options.TokenizerData);
        DataDigest[] digests = [.. files.Concat(validationFiles).Concat(tokenizerFiles).Select(f => f.Digest(0))];
        using var run = RunFolder.Open(context, RunIdentity.Of(Stage, options, context, digests));
        if (run.Finished() is { } finished)
            return finished;

        // Load
        var (tally, counts) = (new RowTally(), new Dictionary<string, long>(StringComparer.Ordinal));
        var tokenizer = context.Parent is { } tokens
            ? Tokenizer.Load(tokens.Require(ModelFiles.Tokenizer))
            : PretrainData.Tokenizer(options, tokenizerFiles.Count > 0 ? tokenizerFiles : files, run.Path, context.Cancellation);
        var boundary = PretrainData.Boundary(tokenizer, options.Tokenizer);
        var rows = PretrainData.Rows(files, tokenizer, boundary, options.SequenceLength, options.Seed, Stage, tally, counts);
        var validation = PretrainData.Batches(PretrainData.Rows(validationFiles, tokenizer, boundary, options.SequenceLength, options.Seed, Stage, new RowTally(), counts), options.MicroBatchTokens);
        using var decoder = context.Parent is { } weights ? DecoderFiles.Load(weights) : New(options, Shape(options, tokenizer, boundary));
        var config = decoder.Config;
        decoder.Body.Compute = Compute.Of(options.Dtype);
        decoder.LogitRows = options.LogitRows;
        decoder.to(Compute.Open(options.Device));
        var tie = options.TieSpacedWords ? new SpacedWordTie(decoder.VocabularyMatrices, SpacedWords.Of(tokenizer)) : null;
        tie?.Hold();
        using var optimiser = new Optimiser(OptimiserRules.Plan(decoder.Weights(), options.Optimiser, options.MatrixRateScale, options.WeightDecay), Schedules.Settings(options), tie);
        var plan = new StepPlan(BatchPlan.ByTokens(rows.Select(r => r.Ids.Length), options.MicroBatchTokens, options.Seed, Stage, options.Order), options.Accumulation);
        var steps = Schedules.Steps(options, plan.PerEpoch, options.Accumulation);
        var schedule = Schedules.Of(options, steps);
        IReadOnlyList<RaggedBatch> MicroBatches(long step) => [.. plan.At(step).Select(b => Batches.Of(rows, b))];

        // Preflight
        var report = Preflight.OfTexts(rows, tally, tokenizer);
        var estimate = CostEstimate.Of(config, options, optimiser, options.MicroBatchTokens);
        if (steps >= CostEstimate.StepsWorthATrial)
            estimate = estimate.WithTrial(() => SftStep.Trial(decoder, optimiser, MicroBatches(0)), (double)report.Tokens / plan.PerEpoch * options.Accumulation * steps);
        context.Show(new StagePreflight(Stage, report, estimate, steps, []));

        // Loop
        var state = run.Resume(optimiser);
        using var log = new MetricsLog(run.Path, state, context.Time);
        var (pace, clock) = (new Pace(context.Time, state.Seconds), new CheckpointClock(options, context.Time));
        context.TellStart(Stage, state, steps);
        while (state.Step < steps && !state.Stopped)
        {
            var (batches, rate) = (MicroBatches(state.Step), options.LearningRate * schedule.At(state.Step));
            var update = SftStep.Run(decoder, optimiser, new UpdateSettings(state.Step + 1, rate, options.Clip), batches);
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
        ModelFolder.Write(run.Model, decoder, config, tokenizer, context.Parent);
        // Whoever goes on from a version that answers keeps the format that it answers by.
        if (context.Parent is { } spoken && spoken.Find(ModelFiles.PromptContract) is not null)
            StageContract.Resolve(null, spoken, tokenizer).Write(run.Model, spoken);
        var kind = context.ParentKind ?? VersionKind.Base;
        var lineage = new Lineage
        {
            Parent = context.ParentDigest,
            Stage = Stage,
            Options = RunIdentity.Options(options),
            // Rows that trained the model; a file that only the tokenizer read has none.
            Data = [.. files.Concat(validationFiles).Concat(tokenizerFiles).Select((f, i) => digests[i] with { Rows = counts.GetValueOrDefault(f.Path) })],
            Seed = options.Seed,
            CodeVersion = RunIdentity.CodeVersion,
            Kernels = RunIdentity.Kernels,
            Facts = LineageFacts.Of(config, state, report).WithLicence(context.Parent),
        };
        ModelCard.Write(Path.Combine(run.Model, ModelFiles.Card), kind, lineage, config);
        return run.Finish(kind, lineage, RunFacts.Of(config, state));
    }

    private static Decoder New(PretrainOptions options, DecoderConfig config)
    {
        using var loading = NativeHeap.Loading(config);
        var decoder = new Decoder(config);
        decoder.Initialise(options.Seed);
        return decoder;
    }

    private static DecoderConfig Shape(PretrainOptions options, Tokenizer tokenizer, int boundary)
    {
        var heads = options.KeyValueHeads ?? options.Heads;
        if (options.Heads % heads != 0)
            throw new TrainingException("ATT5123", FormattableString.Invariant($"{heads} key and value heads do not divide {options.Heads} query heads.")) { Field = "key_value_heads" };
        if (options.HeadSize is null && options.HiddenSize % options.Heads != 0)
            throw new TrainingException("ATT5123", FormattableString.Invariant($"{options.Heads} heads do not divide a hidden size of {options.HiddenSize}.")) { Field = "heads", Hint = "Give head_size, or numbers that divide." };
        if ((options.HeadSize ?? options.HiddenSize / options.Heads) % 2 != 0)
            throw new TrainingException("ATT5123", "A head has an odd width: rotary positions turn pairs of numbers.") { Field = "head_size", Hint = "Give an even head_size." };
        return new DecoderConfig
        {
            VocabularySize = tokenizer.VocabularySize,
            HiddenSize = options.HiddenSize,
            IntermediateSize = options.IntermediateSize ?? 3 * options.HiddenSize,
            Layers = options.Layers,
            Heads = options.Heads,
            KeyValueHeads = heads,
            HeadSize = options.HeadSize ?? options.HiddenSize / options.Heads,
            ContextLength = options.ContextLength ?? options.SequenceLength,
            RopeTheta = options.RopeTheta,
            TiedEmbeddings = options.TiedEmbeddings,
            InitializerRange = options.InitializerRange,
            BosTokenId = boundary,
            EosTokenIds = [boundary],
            PadTokenId = tokenizer.IdOf(ControlTokens.Pad),
        };
    }
}
