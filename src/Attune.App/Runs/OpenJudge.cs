using Attune.Core.Preferences;
using Attune.Inference;
using Attune.Prompts;

namespace Attune.App.Runs;

/// <summary>The judge that options name, ready to rank answers: a version of the store, or a model behind an OpenAI-compatible endpoint.</summary>
internal sealed class OpenJudge : IDisposable
{
    /// <summary>How a judge is named.</summary>
    public const string Hint = "--judge VERSION, or --endpoint http://…/v1 with --model NAME";

    private readonly IDisposable _held;

    private OpenJudge(IAnswerRanker ranker, IDisposable held) => (Ranker, _held) = (ranker, held);

    public IAnswerRanker Ranker { get; }

    /// <summary>Opens it; null where neither a version nor an endpoint is named.</summary>
    /// <exception cref="AttuneException">ATT4801: an endpoint without the name of its model.</exception>
    public static OpenJudge? Of(string? version, string? endpoint, string? model, string? constitutionFile, string store)
    {
        if (version is null && endpoint is null)
            return null;
        var constitution = constitutionFile is null ? Constitution.Default : Constitution.Read(constitutionFile);
        if (version is not null)
        {
            var local = LocalModel.Open(Running.Open(store, version).Files);
            return new(new JudgeRanker(local.AsChatClient(), version, constitution), local);
        }
        if (model is null)
            throw new AttuneException("ATT4801", "The endpoint's model is not named.") { Field = "model", Hint = Hint + "." };
        // A slow judge is no broken one.
        var http = new HttpClient { Timeout = TimeSpan.FromMinutes(10) };
        if (Environment.GetEnvironmentVariable("OPENAI_API_KEY") is { Length: > 0 } key)
            http.DefaultRequestHeaders.Authorization = new("Bearer", key);
        return new(new JudgeRanker(new OpenAiChatClient(http, endpoint!, model), model, constitution), http);
    }

    public void Dispose() => _held.Dispose();
}
