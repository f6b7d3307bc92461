using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Randomness;
using Attune.Core.Rewards;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Torch.Models;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>Where scores come from: a reward model, rules, or both added up; and the truth or the judge, where there is one to measure the reward model by.</summary>
internal sealed class RewardSource : IDisposable
{
    private readonly IReadOnlyList<PromptRow> _prompts;
    private readonly Tokenizer _tokenizer;
    private readonly RuleReward? _rules;
    private readonly RuleReward? _truth;
    private readonly JudgedPairs? _judge;
    private readonly int _microBatchTokens;

    private RewardSource(RolloutOptions options, RewardModel? model, IReadOnlyList<PromptRow> prompts, Tokenizer tokenizer, StageContext context)
    {
        (Model, _prompts, _tokenizer, _microBatchTokens) = (model, prompts, tokenizer, options.MicroBatchTokens);
        _rules = options.Rules.Count == 0 ? null : RuleReward.Of(options.Rules, prompts);
        _truth = options.Truth.Count == 0 ? null : RuleReward.Of(options.Truth, prompts);
        _judge = context.Labels is null ? null : new JudgedPairs(context.Labels, model!, prompts, tokenizer, options, context.Time);
    }

    /// <summary>The reward model, or null.</summary>
    public RewardModel? Model { get; }

    /// <summary>Opens what the options name.</summary>
    /// <exception cref="TrainingException">ATT5202: the reward model is of another tokenizer or contract; ATT5203: there is nothing that scores, or more than one truth; ATT5206: the truth has no two answers to compare.</exception>
    public static RewardSource Open(RolloutOptions options, StageContext context, IReadOnlyList<PromptRow> prompts, Tokenizer tokenizer, StageContract contract)
    {
        if (context.RewardModel is null && options.Rules.Count == 0)
            throw new TrainingException("ATT5203", "Nothing says which answers are good.") { Field = "reward_model", Hint = "Name a reward model (--reward-model world:reward) or rules (--rules exact)." };
        if (options.Truth.Count > 0 && context.Labels is not null)
            throw new TrainingException("ATT5203", "Rules and a judge both say which answers are better.") { Field = "truth", Hint = "Leave one of them out." };
        if ((options.Truth.Count > 0 || context.Labels is not null) && (context.RewardModel is null || options.Samples < 2))
            throw new TrainingException("ATT5206", "The truth measures a reward model by answers to one prompt, and there are not two of them, or no model.") { Field = "truth", Hint = "Give a reward model and at least 2 samples a prompt." };
        if (context.RewardModel is not { } files)
            return new(options, null, prompts, tokenizer, context);
        if (!RewardFiles.IsReward(files))
            throw new TrainingException("ATT5203", "The reward model is a language model: it has no score.") { File = files.Description, Field = "reward_model", Hint = "Train one: attune reward DATA --parent VERSION." };
        RewardFiles.Check(files, tokenizer, contract);
        return new(options, DecoderFiles.LoadReward(files), prompts, tokenizer, context);
    }

    /// <summary>Rollouts with their scores, and how well the reward model's agree with the truth.</summary>
    /// <exception cref="TrainingException">ATT5208: a score is not finite.</exception>
    public (IReadOnlyList<Rollout> Rollouts, RewardAgreement Agreement) Score(IReadOnlyList<Rollout> rollouts)
    {
        RewardedAnswer[] answers = _rules is null && _truth is null ? [] : [.. rollouts.Select(r => Answer(r, _prompts[r.Prompt], _tokenizer))];
        var given = Model is null ? null : RolloutScores.Scores(Model, rollouts, _microBatchTokens);
        var rules = _rules?.Score(answers);
        var scored = rollouts.Select((r, i) => r with { Score = (given?[i] ?? 0.0) + (rules?[i] ?? 0) }).ToArray();
        if (Array.Find(scored, r => !double.IsFinite(r.Score)) is { } bad)
            throw new TrainingException("ATT5208", FormattableString.Invariant($"The rules score an answer {bad.Score}.")) { Field = "rules", Hint = "Give them smaller weights." };
        var agreement = _truth is null ? default : RewardAgreement.Of(_truth.Score(answers), [.. given!.Select(s => (double)s)], [.. rollouts.Select(r => r.Prompt)]);
        return (scored, agreement);
    }

    /// <summary>The same answers with what a judge says of the reward model, where there is one.</summary>
    /// <inheritdoc cref="JudgedPairs.Compare"/>
    public RolloutSet Judged(RolloutSet set, RandomStream random) => _judge?.Compare(set, random) ?? set;

    /// <summary>What a judge will cost, for people; nothing without one.</summary>
    public IEnumerable<string> Costs(long iterations) => _judge is null ? [] : [_judge.Tell(iterations)];

    /// <summary>An answer as rules see it.</summary>
    public static RewardedAnswer Answer(Rollout rollout, PromptRow prompt, Tokenizer tokenizer)
    {
        var ids = rollout.Ids.AsSpan(rollout.PromptLength);
        return new RewardedAnswer(prompt, tokenizer.Decode(rollout.Ended ? ids[..^1] : ids), rollout.Ended);
    }

    /// <summary>Frees the model.</summary>
    public void Dispose() => Model?.Dispose();

    /// <summary>What lineage says of the reward model: its weights.</summary>
    public static IEnumerable<DataDigest> Digest(StageContext context) => context.RewardModel is { } files
        ? [new DataDigest("reward model", Digests.Sha256Of(files.Find(ModelFiles.Weights) ?? files.Require(WeightFiles.Index)), 0)]
        : [];
}
