using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Torch.Losses;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>
/// Group relative policy optimisation (Shao et al., arXiv 2402.03300) and REINFORCE leave-one-out (Ahmadian et al., arXiv
/// 2402.14740): the policy gives several answers to a prompt, and each is better or worse than the others. No value model,
/// and no reference model where nothing is charged for leaving it.
/// </summary>
public static class Grpo
{
    // What tells the two apart.
    private sealed record Method(string Stage, string Advantages, double KlInReward, GrpoObjective Objective);

    /// <inheritdoc cref="Pretrain.Run"/>
    public static StageResult Run(GrpoOptions options, StageContext context) => Run(options, context, new Method(
        "grpo",
        options.AdvantagesTaken,
        0,
        new GrpoObjective
        {
            Form = options.Loss,
            SequenceRatio = options.SequenceRatio,
            Beta = options.Beta,
            ClipLow = options.ClipLow,
            ClipHigh = options.ClipHighTaken,
            MaxLength = options.MaxNewTokens,
        }));

    /// <summary>Leave-one-out: the KL is a part of the reward, and the loss is a sum over the tokens of an answer.</summary>
    /// <inheritdoc cref="Pretrain.Run"/>
    public static StageResult Run(RlooOptions options, StageContext context) => Run(options, context, new Method(
        "rloo", "rloo", options.Beta, new GrpoObjective { Form = "dr_grpo", ClipLow = options.PolicyClip, ClipHigh = options.PolicyClip, MaxLength = options.MaxNewTokens }));

    private static StageResult Run(RolloutOptions options, StageContext context, Method method)
    {
        // Options
        context.StartTorch(options);
        OptimiserRules.Check(options.Optimiser);
        GrpoLoss.Check(method.Objective);
        _ = GroupAdvantages.Of(method.Advantages, new double[options.Samples]);
        _ = Schedules.Of(options, 1);
        var (stage, objective) = (method.Stage, method.Objective);
        var parent = context.RequireParent();
        var files = DataFile.Required(options.Data);
        DataDigest[] digests = [.. files.Select(f => f.Digest(0)), .. RewardSource.Digest(context)];
        using var run = RunFolder.Open(context, RunIdentity.Of(stage, options, context, digests));
        if (run.Finished() is { } finished)
            return finished;

        // Load
        var (tally, counts) = (new RowTally(), new Dictionary<string, long>(StringComparer.Ordinal));
        var tokenizer = Tokenizer.Load(parent.Require(ModelFiles.Tokenizer));
        var contract = StageContract.Resolve(options.Contract, parent, tokenizer, options.ContractChange);
        var prompts = PromptData.Read(stage, files, contract, tokenizer, options, tally, counts);
        using var source = RewardSource.Open(options, context, [.. prompts.Select(p => p.Row)], tokenizer, contract);
        var charged = objective.Beta > 0 || method.KlInReward > 0;
        using var policy = Tuning.Load(parent, options, stage);
        using var reference = charged && policy.Lora is null ? DecoderFiles.Load(parent, policy.Device) : null;
        var config = contract.Endings(policy.Config);
        using var optimiser = new Optimiser(OptimiserRules.Plan(policy.Trained(), options.Optimiser, options.MatrixRateScale, options.WeightDecay), Schedules.Settings(options));
        using var sampler = new RolloutSampler(Path.Combine(run.Path, "policy"), parent, config, tokenizer, contract);
        var plan = new RolloutPlan(options, stage, prompts.Count);
        var (steps, updates) = (plan.Steps, options.UpdatesPerIteration);
        var schedule = Schedules.Of(options, steps);

        // Preflight
        var report = Preflight.OfPrompts([.. prompts.Select(p => new TokenRow { Ids = p.Ids, Trained = new bool[p.Ids.Length], Origin = p.Row.Origin })], tally, tokenizer);
        var models = new StageModels { Frozen = (reference is null ? 0 : 1) + (source.Model is null ? 0 : 1), Draws = true, DrawnTokens = prompts.Max(p => p.Ids.Length) + options.MaxNewTokens };
        var estimate = CostEstimate.Of(config, options, optimiser, plan.MostTokens(models.DrawnTokens), models);
        GrpoBatch[] MicroBatches(long step, RolloutSet of, float[] worth) => [.. plan.MicroBatches(step, of.Answers).Select(b => Batch(of.Answers, worth, b, objective.Beta > 0))];
        var state = run.Resume(optimiser);
        (estimate, state, var first) = FirstIteration.Of(estimate, state, run, plan, context,
            () => sampler.Warm(policy, prompts[0].Ids, options.MaxNewTokens, context.Cancellation), () => Answer(0),
            set =>
            {
                var batches = MicroBatches(0, set, Advantages(set.Answers, options, method));
                return () => GrpoStep.Trial(policy, optimiser, objective, options.Temperature, batches);
            });
        context.Show(new StagePreflight(stage, report, estimate, steps, [.. RolloutScores.Warnings(options), .. source.Costs(plan.Iterations)]));

        // Loop
        using var log = new MetricsLog(run.Path, state, context.Time);
        var (pace, clock) = (new Pace(context.Time, state.Seconds), new CheckpointClock(options, context.Time));
        context.TellStart(stage, state, steps);
        var (iteration, set, advantages) = (-1L, new RolloutSet([], default), (float[])[]);
        while (state.Step < steps)
        {
            // Answers: made before the first update of an iteration, found in the run's folder by one that resumes after it.
            if (iteration != state.Step / updates)
            {
                iteration = state.Step / updates;
                var start = context.Time.GetTimestamp();
                var kept = RolloutFile.Read(run.Path, iteration);
                set = kept ?? first ?? Answer(iteration);
                (first, advantages) = (null, Advantages(set.Answers, options, method));
                state = state with { SamplingSeconds = state.SamplingSeconds + context.Time.GetElapsedTime(start).TotalSeconds };
                if (kept is null)
                    RolloutFile.Write(run.Path, iteration, set = source.Judged(set, plan.Judging(iteration)));
            }

            var (rate, meters) = (options.LearningRate * schedule.At(state.Step), new GrpoMeters());
            var batches = MicroBatches(state.Step, set, advantages);
            var update = GrpoStep.Run(policy, optimiser, new UpdateSettings(state.Step + 1, rate, options.Clip), objective, options.Temperature, batches, meters);
            state = state.After(update, [.. batches.Select(b => b.Rows)], pace);
            var figures = meters.Figures.ToList();
            if (state.Step % updates == 0)
            {
                figures.AddRange(RolloutMeters.Figures(set));
                figures.Add(new("answers/groups_without_signal", Silent(set.Answers, options)));
                state = state.Learnt(set);
                foreach (var remark in new[] { RolloutMeters.Warning(set.Answers, options, iteration), state.Drift() }.OfType<string>())
                    context.Tell(stage, state, steps, remark);
            }
            context.Tell(log, StageProgress.Of(stage, state, steps, update, rate, pace) with { Metrics = figures });
            if (clock.IsDue(state.Step) || state.Step == steps || context.Cancellation.IsCancellationRequested)
            {
                run.Save(state, log, optimiser, options.KeepCheckpoints);
                RolloutFile.Forget(run.Path, state.Step / updates);
            }
            context.Cancellation.ThrowIfCancellationRequested();
        }

        // Save
        var facts = LineageFacts.Of(config, state, report);
        facts["sampled_tokens"] = state.Sampled;
        facts["score"] = state.Score;
        facts["judge_calls"] = state.JudgeCalls > 0 ? state.JudgeCalls : null;
        facts["reward_model_accuracy"] = state.RewardPairs > 0 ? state.RewardRight / state.RewardPairs : null;
        return new FinishedModel
        {
            Stage = stage, Options = options, Context = context, Module = policy, Config = config, Tokenizer = tokenizer, Contract = contract,
            Data = [.. digests.Select((d, i) => i < files.Count ? d with { Rows = counts[files[i].Path] } : d)], State = state, Facts = facts, Kind = options.Kind ?? VersionKind.Chat,
        }.Save(run);

        RolloutSet Answer(long of)
        {
            if (state.Step % updates != 0)
                context.Tell(stage, state, steps, "The answers of this iteration are gone from the run's folder: they are made anew, by a policy that has moved, and the last bits will differ.");
            var asked = plan.Prompts(of).Select(i => (i, prompts[i].Ids)).ToArray();
            var answers = sampler.Sample(policy, asked, options.Samples, options.MaxNewTokens, options.Temperature, plan.Sampling(of), context.Cancellation);
            var (scored, agreement) = source.Score(answers);
            // One update an iteration is made by the policy that answered: its log-probabilities need no pass of their own.
            var old = updates > 1 || method.KlInReward > 0 ? RolloutScores.LogProbs(policy, scored, options.Temperature, options.MicroBatchTokens) : null;
            var references = charged ? policy.AsReference(reference, model => RolloutScores.LogProbs(model, scored, options.Temperature, options.MicroBatchTokens)) : null;
            return new RolloutSet([.. scored.Select((r, i) => r with { Old = old?[i] ?? [], Reference = references?[i] ?? [] })], agreement);
        }
    }

    private static float[] Advantages(IReadOnlyList<Rollout> answers, RolloutOptions options, Method method)
    {
        var rewards = answers.Select(r => PpoExperience.Worth(r, options) - (method.KlInReward > 0 ? method.KlInReward * r.Old.Zip(r.Reference, (p, q) => KlEstimate.K1(p, q)).Sum() : 0)).ToArray();
        return [.. rewards.Chunk(options.Samples).SelectMany(group => GroupAdvantages.Of(method.Advantages, group)).Select(a => (float)a)];
    }

    private static GrpoBatch Batch(IReadOnlyList<Rollout> answers, float[] advantages, int[] indices, bool withReference) => new(
        Rollout.Batch(indices.Select(i => answers[i])),
        [.. indices.Select(i => advantages[i])],
        [.. indices.SelectMany(i => answers[i].Old)],
        withReference ? [.. indices.SelectMany(i => answers[i].Reference)] : []);

    // Groups whose answers are all worth the same teach nothing: where that is all of them, the run stands still.
    private static double Silent(IReadOnlyList<Rollout> answers, RolloutOptions options) =>
        answers.Select(r => PpoExperience.Worth(r, options)).Chunk(options.Samples).Average(g => g.All(w => w == g[0]) ? 1.0 : 0);
}
