using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Torch.Losses;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>
/// Reinforcement learning from human feedback by proximal policy optimisation (Ouyang et al., arXiv 2203.02155): the policy
/// answers prompts, a reward model or a rule scores the answers, a KL to the parent keeps it near, a value model says what
/// was to be expected, and clipped updates follow the difference.
/// </summary>
public static class Ppo
{
    private const string Stage = "ppo";

    /// <inheritdoc cref="Pretrain.Run"/>
    public static StageResult Run(PpoOptions options, StageContext context)
    {
        // Options
        context.StartTorch(options);
        OptimiserRules.Check(options.Optimiser);
        Check(options, context);
        _ = Schedules.Of(options, 1);
        var objective = new PpoObjective(options.PolicyClip, options.ValueClip, options.ValueCoefficient, options.Temperature);
        var parent = context.RequireParent();
        var files = DataFile.Required(options.Data);
        DataDigest[] digests = [.. files.Select(f => f.Digest(0)), .. RewardSource.Digest(context)];
        using var run = RunFolder.Open(context, RunIdentity.Of(Stage, options, context, digests));
        if (run.Finished() is { } finished)
            return finished;

        // Load
        var (tally, counts) = (new RowTally(), new Dictionary<string, long>(StringComparer.Ordinal));
        var tokenizer = Tokenizer.Load(parent.Require(ModelFiles.Tokenizer));
        var contract = StageContract.Resolve(options.Contract, parent, tokenizer, options.ContractChange);
        var prompts = PromptData.Read(Stage, files, contract, tokenizer, options, tally, counts);
        using var source = RewardSource.Open(options, context, [.. prompts.Select(p => p.Row)], tokenizer, contract);
        using var policy = Tuning.Load(parent, options, Stage);
        using var reference = policy.Lora is null ? DecoderFiles.Load(parent, policy.Device) : null;
        using var value = RewardFiles.Open(ValueFrom(options, context) == "reward" ? context.RewardModel! : parent, options, $"{Stage} value");
        var config = contract.Endings(policy.Config);
        using var optimiser = new Optimiser(OptimiserRules.Plan([.. policy.Trained(), .. value.Trained().Select(w => ("value." + w.Name, w.Value))], options.Optimiser, options.MatrixRateScale, options.WeightDecay), Schedules.Settings(options));
        using var sampler = new RolloutSampler(Path.Combine(run.Path, "policy"), parent, config, tokenizer, contract);
        var plan = new RolloutPlan(options, Stage, prompts.Count);
        var (steps, updates) = (plan.Steps, options.UpdatesPerIteration);
        var schedule = Schedules.Of(options, steps);

        // Preflight
        var report = Preflight.OfPrompts([.. prompts.Select(p => new TokenRow { Ids = p.Ids, Trained = new bool[p.Ids.Length], Origin = p.Row.Origin })], tally, tokenizer);
        var models = new StageModels { Frozen = (source.Model is null ? 0 : 1) + (reference is null ? 0 : 1), Values = true, Draws = true, DrawnTokens = prompts.Max(p => p.Ids.Length) + options.MaxNewTokens };
        var estimate = CostEstimate.Of(config, options, optimiser, plan.MostTokens(models.DrawnTokens), models);
        PpoBatch[] MicroBatches(long step, RolloutSet of, PpoExperience with) => [.. plan.MicroBatches(step, of.Answers).Select(with.Batch)];
        PpoExperience Experience(RolloutSet of, double? coefficient = null) => new(of.Answers, options, coefficient ?? options.KlCoefficient);
        var state = run.Resume(optimiser);
        (estimate, state, var first) = FirstIteration.Of(estimate, state, run, plan, context,
            () => sampler.Warm(policy, prompts[0].Ids, options.MaxNewTokens, context.Cancellation), () => Answer(0),
            set =>
            {
                var batches = MicroBatches(0, set, Experience(set));
                return () => PpoStep.Trial(policy, value, optimiser, objective, batches);
            });
        context.Show(new StagePreflight(Stage, report, estimate, steps, [.. RolloutScores.Warnings(options), .. source.Costs(plan.Iterations)]));

        // Loop
        using var log = new MetricsLog(run.Path, state, context.Time);
        var (pace, clock) = (new Pace(context.Time, state.Seconds), new CheckpointClock(options, context.Time));
        context.TellStart(Stage, state, steps);
        var (iteration, set, experience) = (-1L, new RolloutSet([], default), (PpoExperience?)null);
        while (state.Step < steps)
        {
            // Answers: made before the first update of an iteration, found in the run's folder by one that resumes after it.
            if (iteration != state.Step / updates)
            {
                iteration = state.Step / updates;
                var start = context.Time.GetTimestamp();
                var kept = RolloutFile.Read(run.Path, iteration);
                set = kept ?? first ?? Answer(iteration);
                (first, experience) = (null, Experience(set, state.KlCoefficient));
                state = state with { SamplingSeconds = state.SamplingSeconds + context.Time.GetElapsedTime(start).TotalSeconds };
                if (kept is null)
                    RolloutFile.Write(run.Path, iteration, set = source.Judged(set, plan.Judging(iteration)));
            }

            var (rate, meters) = (options.LearningRate * schedule.At(state.Step), new PpoMeters());
            var batches = MicroBatches(state.Step, set, experience!);
            var update = PpoStep.Run(policy, value, optimiser, new UpdateSettings(state.Step + 1, rate, options.Clip), objective, batches, meters);
            state = state.After(update, [.. batches.Select(b => b.Rows)], pace);
            var figures = meters.Figures.ToList();
            if (state.Step % updates == 0)
            {
                // The iteration is over: what it showed decides how the next one is rewarded.
                var coefficient = state.KlCoefficient ?? options.KlCoefficient;
                figures.AddRange(RolloutMeters.Figures(set));
                figures.AddRange([new("objective/kl", experience!.Kl), new("objective/reward", experience.Reward), new("objective/kl_coefficient", coefficient)]);
                state = state.Learnt(set) with
                {
                    Kl = experience.Kl,
                    KlCoefficient = options.KlTarget is { } target ? PpoExperience.Steer(coefficient, experience.Kl, target, set.Answers.Count, options.KlHorizon) : null,
                };
                foreach (var remark in new[] { RolloutMeters.Warning(set.Answers, options, iteration), state.Drift() }.OfType<string>())
                    context.Tell(Stage, state, steps, remark);
            }
            context.Tell(log, StageProgress.Of(Stage, state, steps, update, rate, pace) with { Metrics = figures });
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
        facts["kl"] = state.Kl;
        facts["judge_calls"] = state.JudgeCalls > 0 ? state.JudgeCalls : null;
        facts["reward_model_accuracy"] = state.RewardPairs > 0 ? state.RewardRight / state.RewardPairs : null;
        return new FinishedModel
        {
            Stage = Stage, Options = options, Context = context, Module = policy, Config = config, Tokenizer = tokenizer, Contract = contract,
            Data = [.. digests.Select((d, i) => i < files.Count ? d with { Rows = counts[files[i].Path] } : d)], State = state, Facts = facts, Kind = options.Kind ?? VersionKind.Chat,
        }.Save(run);

        RolloutSet Answer(long of)
        {
            if (state.Step % updates != 0)
                context.Tell(Stage, state, steps, "The answers of this iteration are gone from the run's folder: they are made anew, by a policy that has moved, and the last bits will differ.");
            var asked = plan.Prompts(of).Select(i => (i, prompts[i].Ids)).ToArray();
            var answers = sampler.Sample(policy, asked, options.Samples, options.MaxNewTokens, options.Temperature, plan.Sampling(of), context.Cancellation);
            var (scored, agreement) = source.Score(answers);
            var old = RolloutScores.LogProbs(policy, scored, options.Temperature, options.MicroBatchTokens);
            var references = policy.AsReference(reference, model => RolloutScores.LogProbs(model, scored, options.Temperature, options.MicroBatchTokens));
            var values = RolloutScores.Values(value, scored, options.MicroBatchTokens);
            return new RolloutSet([.. scored.Select((r, i) => r with { Old = old[i], Reference = references[i], Values = values[i] })], agreement);
        }
    }

    private static string ValueFrom(PpoOptions options, StageContext context) => options.ValueFrom ?? (context.RewardModel is null ? "policy" : "reward");

    private static void Check(PpoOptions options, StageContext context)
    {
        if (!KlEstimate.Names.Contains(options.KlEstimator))
            throw TrainingException.Unsupported("KL estimator", options.KlEstimator, KlEstimate.Names);
        if (ValueFrom(options, context) is not ("reward" or "policy"))
            throw TrainingException.Unsupported("origin of the value model", options.ValueFrom!, ["reward", "policy"]);
        if (ValueFrom(options, context) == "reward" && context.RewardModel is null)
            throw new TrainingException("ATT5203", "The value model is to start from the reward model, and there is none.") { Field = "value_from", Hint = "Name a reward model, or take value_from policy." };
    }
}
