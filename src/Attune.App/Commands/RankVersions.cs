using Attune.App.Runs;
using Attune.Core.Data;
using Attune.Core.Preferences;
using Attune.Inference;

namespace Attune.App.Commands;

/// <summary>Where the answers to be ranked come from: versions that are asked, or the file itself.</summary>
internal sealed class RankVersions : IDisposable
{
    private readonly List<LocalModel> _models = [];
    private readonly AnswerSampler? _source;
    private readonly Dictionary<string, RankTask> _given = new(StringComparer.Ordinal);

    private RankVersions(RankOptions options)
    {
        var prompts = options.Versions.Count == 0 ? Given(options.Prompts) : DataReader.ReadPrompts(options.Prompts);
        // A prompt that stands in the file twice is ranked once.
        Prompts = [.. prompts.DistinctBy(p => PreferenceForms.Key(p.Prompt), StringComparer.Ordinal).Take(options.Limit == 0 ? int.MaxValue : options.Limit)];
        if (options.Versions.Count == 0)
            return;
        var sampling = new SamplingOptions { Temperature = options.Temperature, TopP = options.TopP, Seed = options.Seed };
        sampling.Validate();
        var versions = new List<AnsweringVersion>();
        foreach (var name in options.Versions)
        {
            var (files, version) = Running.Open(options.Store, name);
            _models.Add(LocalModel.Open(files));
            versions.Add(new(name, version?.Digest, _models[^1]));
        }
        _source = new AnswerSampler(versions, options.Answers, sampling, options.MaxTokens);
    }

    /// <summary>The prompts, each once.</summary>
    public IReadOnlyList<PromptRow> Prompts { get; }

    public static RankVersions Open(RankOptions options) => new(options);

    /// <summary>The task of a prompt; null where it has no two different answers.</summary>
    public Task<RankTask?> TaskAsync(PromptRow prompt) =>
        _source?.TaskAsync(prompt) ?? Task.FromResult(_given.GetValueOrDefault(PreferenceForms.Key(prompt.Prompt)));

    public void Dispose() => _models.ForEach(m => m.Dispose());

    private IEnumerable<PromptRow> Given(string path)
    {
        foreach (var ranking in DataReader.ReadRankings(path))
        {
            if (RankTask.Of(ranking.Prompt, ranking.Responses.Select(r => new Candidate(r[^1].Content ?? "", "data"))) is { } task)
                _given.TryAdd(PreferenceForms.Key(ranking.Prompt), task);
            yield return new PromptRow(ranking.Prompt, null, ranking.Origin);
        }
    }
}
