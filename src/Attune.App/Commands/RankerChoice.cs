using Attune.App.Alignment;
using Attune.App.Runs;
using Attune.Core.Preferences;
using Attune.Inference;
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
        RankBy.Judge => Judge(options, options.Constitution is { } path ? Constitution.Read(path) : Constitution.Default),
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

    private static RankerChoice Judge(RankOptions options, Constitution constitution)
    {
        if (options.Judge is { } version)
        {
            var model = LocalModel.Open(Running.Open(options.Store, version).Files);
            return new(new JudgeRanker(model.AsChatClient(), version, constitution), model);
        }
        if (options is not { Endpoint: { } endpoint, Model: { } name })
            throw Missing("judge", "There is no judge.");
        // A slow judge is no broken one.
        var http = new HttpClient { Timeout = TimeSpan.FromMinutes(10) };
        if (Environment.GetEnvironmentVariable("OPENAI_API_KEY") is { Length: > 0 } key)
            http.DefaultRequestHeaders.Authorization = new("Bearer", key);
        return new(new JudgeRanker(new OpenAiChatClient(http, endpoint, name), name, constitution), http);
    }

    private static AttuneException Missing(string field, string what) =>
        new("ATT4801", what) { Field = field, Hint = "--judge VERSION, or --endpoint http://…/v1 with --model NAME; --reward VERSION for a reward model; --rule for rules." };
}
