using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Adapters;
using Attune.Core.Data;
using Attune.Core.Randomness;
using Attune.Core.Rewards;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>
/// The upkeep of a reward model. A policy that is trained against it moves to answers which it never saw (Gao, Schulman and
/// Hilton, arXiv 2210.10760). So: the policy answers prompts now, a truth (rules, or a judge) labels the answers, and the reward
/// model trains on with the pairs. What sampling and labelling took is a figure of its own.
/// </summary>
public static class RewardRefresh
{
    /// <summary>The fact of a lineage that says what the version's adapter lies on, where that is not its parent.</summary>
    public const string AdapterBaseFact = "adapter_base";

    private const string Stage = "refresh", TrainName = "on-policy.jsonl", HeldOutName = "on-policy-held-out.jsonl", CostName = "upkeep.json";

    private sealed record Upkeep(long Sampled, double Seconds, double Before, long Pairs);

    /// <summary>Runs the upkeep; the parent of the context is the reward model.</summary>
    /// <param name="options">What to do.</param>
    /// <param name="context">Where; its <see cref="StageContext.Policy"/> is the policy, its <see cref="StageContext.Labels"/> label the answers where the options have no rules.</param>
    /// <exception cref="TrainingException">ATT5203: there is no policy or no truth; ATT5210: what the reward model's adapter lies on is missing; ATT5209: the truth tells no two answers apart.</exception>
    public static StageResult Run(RewardRefreshOptions options, StageContext context)
    {
        // Options
        context.StartTorch(options);
        var parent = context.RequireParent();
        var policyFiles = context.Policy ?? throw new TrainingException("ATT5203", "There is no policy whose answers could be learnt.") { Field = "policy", Hint = "Name a version: --policy world:chat." };
        if (!RewardFiles.IsReward(parent))
            throw new TrainingException("ATT5203", "The parent is no reward model.") { File = parent.Description, Field = "parent", Hint = "Train one first: attune reward DATA --parent VERSION." };
        if (context.Labels is null == (options.Truth.Count == 0))
        {
            throw new TrainingException("ATT5203", context.Labels is null ? "Nothing says which answers are better." : "Rules and a judge both say which answers are better.")
            {
                Field = "truth",
                Hint = "Give rules (--truth exact), or a judge: --judge VERSION, or --endpoint http://…/v1 with --model NAME.",
            };
        }
        var adapted = AdapterFiles.IsIn(parent) && !options.Whole;
        if (adapted && context.AdapterBase is null)
        {
            throw new TrainingException("ATT5210", "The reward model is an adapter on a version that is not there.")
            {
                File = parent.Description,
                Field = "parent",
                Hint = "Bring that version into the store, or train every weight: --whole.",
            };
        }
        var (files, kept) = (DataFile.Required(options.Data), DataFile.All(options.Keep));
        var policyWeights = new DataDigest("policy", Digests.Sha256Of(policyFiles.Find(ModelFiles.Weights) ?? policyFiles.Require(WeightFiles.Index)), 0);
        DataDigest[] digests = [.. files.Select(f => f.Digest(0)), .. kept.Select(f => f.Digest(0)), policyWeights];
        using var run = RunFolder.Open(context, RunIdentity.Of(Stage, options, context, digests));
        if (run.Finished() is { } finished)
            return finished;

        // Load
        var (tally, counts) = (new RowTally(), new Dictionary<string, long>(StringComparer.Ordinal));
        var tokenizer = Tokenizer.Load(policyFiles.Require(ModelFiles.Tokenizer));
        var contract = StageContract.Resolve(null, policyFiles, tokenizer);
        RewardFiles.Check(parent, tokenizer, contract);
        var sampling = new PpoOptions { SequenceLength = options.SequenceLength, MaxNewTokens = options.MaxNewTokens, Overlong = options.Overlong, Seed = options.Seed };
        var prompts = PromptData.Read(Stage, files, contract, tokenizer, sampling, tally, counts);
        var labels = context.Labels ?? RuleReward.Of(options.Truth, prompts.Select(p => p.Row));

        // Answer and label: done once, found in the run's folder by a run that resumes.
        string trainPath = Path.Combine(run.Path, TrainName), heldOutPath = Path.Combine(run.Path, HeldOutName), costPath = Path.Combine(run.Path, CostName);
        if (!File.Exists(costPath))
            Atomic.WriteAllText(costPath, System.Text.Json.JsonSerializer.Serialize(Label()));
        var upkeep = System.Text.Json.JsonSerializer.Deserialize<Upkeep>(File.ReadAllText(costPath))!;

        // Train
        var result = Reward.Run(new RewardOptions(options)
        {
            Data = [trainPath, .. options.Keep], Validation = [heldOutPath], Centring = options.Centring, MicroBatchPairs = options.MicroBatchPairs,
        }, context with { RunFolder = Path.Combine(run.Path, "train"), AdapterBase = adapted ? context.AdapterBase : null });

        // Save
        var facts = result.Draft.Lineage.Facts.DeepClone().AsObject();
        facts["accuracy_before"] = upkeep.Before;
        facts["accuracy_after"] = facts["validation_pairs"]?["accuracy"]?.DeepClone();
        facts["on_policy_pairs"] = upkeep.Pairs;
        facts["sampled_tokens"] = upkeep.Sampled;
        if (adapted)
            facts[AdapterBaseFact] = context.AdapterBaseDigest;
        var lineage = result.Draft.Lineage with
        {
            Stage = Stage, Options = RunIdentity.Options(options), Facts = facts,
            Data = [.. digests.Select((d, i) => i < files.Count ? d with { Rows = counts[files[i].Path] } : d)],
        };
        CopyModel(result.Draft.Files, run.Model);
        var config = HuggingFaceConfig.Read(Path.Combine(run.Model, ModelFiles.Config));
        ModelCard.Write(Path.Combine(run.Model, ModelFiles.Card), VersionKind.Reward, lineage, config, ModelFolder.ContractOf(run.Model));
        return run.Finish(VersionKind.Reward, lineage, result.Facts with { Sampled = upkeep.Sampled, SamplingSeconds = upkeep.Seconds, Seconds = result.Facts.Seconds + upkeep.Seconds });

        Upkeep Label()
        {
            var start = context.Time.GetTimestamp();
            using var policy = DecoderFiles.Load(policyFiles);
            using var reward = DecoderFiles.LoadReward(parent);
            using var sampler = new RolloutSampler(Path.Combine(run.Path, "policy"), policyFiles, contract.Endings(policy.Config), tokenizer, contract);
            var rollouts = sampler.Sample(policy, [.. prompts.Select((p, i) => (i, p.Ids))], options.Samples, options.MaxNewTokens, options.Temperature, RandomStream.Of(options.Seed, Stage, "answers"), context.Cancellation);
            var answers = rollouts.Select(r => RewardSource.Answer(r, prompts[r.Prompt].Row, tokenizer)).ToArray();
            var worth = labels.Score(answers);
            var scores = RolloutScores.Scores(reward, rollouts, sampling.MicroBatchTokens);
            var held = RandomStream.Of(options.Seed, Stage, "held out").Permutation(prompts.Count).Take(Math.Max(1, (int)Math.Round(options.HeldOut * prompts.Count))).ToHashSet();
            var all = Enumerable.Range(0, rollouts.Count).ToLookup(i => held.Contains(rollouts[i].Prompt));
            string[] Pairs(bool heldOut) => [.. OnPolicyPairs.Lines([.. all[heldOut].Select(i => answers[i])], [.. all[heldOut].Select(i => rollouts[i].Prompt)], [.. all[heldOut].Select(i => worth[i])])];
            var (train, test) = (Pairs(false), Pairs(true));
            if (train.Length == 0 || test.Length == 0)
            {
                throw new TrainingException("ATT5209", FormattableString.Invariant($"Of {rollouts.Count} answers the truth tells no two to one prompt apart{(train.Length == 0 ? "" : " among those held out")}."))
                {
                    Field = "truth",
                    Hint = "More prompts, more samples, a higher temperature, or a finer truth.",
                };
            }
            Atomic.WriteAllText(trainPath, string.Join('\n', train) + "\n");
            Atomic.WriteAllText(heldOutPath, string.Join('\n', test) + "\n");
            var before = RewardAgreement.Of([.. all[true].Select(i => worth[i])], [.. all[true].Select(i => (double)scores[i])], [.. all[true].Select(i => rollouts[i].Prompt)]);
            return new Upkeep(rollouts.Sum(r => (long)r.Length), context.Time.GetElapsedTime(start).TotalSeconds, before.Accuracy, train.Length + test.Length);
        }
    }

    private static void CopyModel(ModelFiles from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var (name, path) in from.Paths)
            File.Copy(path, Path.Combine(to, name), overwrite: true);
    }
}
