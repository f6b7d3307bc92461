using Attune.App.Alignment;
using Attune.App.Runs;
using Attune.Core.Preferences;
using Attune.Prompts;
using Attune.Torch.Stages;

namespace Attune.App.Commands;

/// <summary>The ranker that the options name, with what it holds open.</summary>
internal sealed class RankerChoice : IDisposable
{
    private readonly List<IDisposable> _held;

    private RankerChoice(IAnswerRanker ranker, params List<IDisposable> held) => (Ranker, _held) = (ranker, held);

    public IAnswerRanker Ranker { get; }

    public static RankerChoice Of(RankOptions options) => options.By switch
    {
        RankBy.Rules => options.Rule.Count > 0 ? new(RuleRanker.Parse(options.Rule)) : throw Missing("rule", "No rule is given."),
        RankBy.Reward => Reward(options),
        RankBy.Judge => OpenJudge.Of(options.Judge, options.Endpoint, options.Model, options.Constitution, options.Store) is { } judge ? new(judge.Ranker, judge) : throw Missing("judge", "There is no judge."),
        _ => throw Missing("by", "This ranker needs no choice."),
    };

    /// <summary>What scores new answers in an alignment, or null where nothing does.</summary>
    public static RankerChoice? Of(AlignOptions options)
    {
        RankBy? by = options.Rule.Count > 0 ? RankBy.Rules : options.Reward is not null ? RankBy.Reward : options.Judge is not null || options.Endpoint is not null ? RankBy.Judge : null;
        return by is not { } chosen ? null : Of(new RankOptions
        {
            Prompts = "",
            By = chosen,
            Rule = options.Rule,
            Reward = options.Reward,
            Judge = options.Judge,
            Endpoint = options.Endpoint,
            Model = options.Model,
            Constitution = options.Constitution,
            Store = options.Store,
        });
    }

    public void Dispose() => _held.ForEach(h => h.Dispose());

    private static RankerChoice Reward(RankOptions options)
    {
        var name = options.Reward ?? throw Missing("reward", "There is no reward model.");
        var scorer = RewardScorer.Open(Running.Open(options.Store, name).Files);
        return new(new RewardRanker(scorer, name), scorer);
    }

    private static AttuneException Missing(string field, string what) =>
        new("ATT4801", what) { Field = field, Hint = $"{OpenJudge.Hint}; --reward VERSION for a reward model; --rule for rules." };
}
