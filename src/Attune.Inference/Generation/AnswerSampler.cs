using Attune.Core.Data;
using Attune.Core.Preferences;
using Attune.Core.Randomness;

namespace Attune.Inference;

/// <summary>A version that gives answers.</summary>
/// <param name="Name">What the user calls it.</param>
/// <param name="Digest">Its manifest digest, or null for a plain folder.</param>
/// <param name="Model">The version, open.</param>
public sealed record AnsweringVersion(string Name, string? Digest, LocalModel Model);

/// <summary>
/// Draws answers to prompts for someone to rank: K of each version. The draws of a prompt come from a seed of its own, made of
/// the seed, the version's digest and the prompt: they do not depend on the order of the prompts, and an interrupted
/// ranking goes on with the answers that an uninterrupted one would have shown.
/// </summary>
public sealed class AnswerSampler(IReadOnlyList<AnsweringVersion> versions, int answers, SamplingOptions sampling, int maxTokens)
{
    /// <summary>The task of a prompt; null where the prompt leaves no room in some version's window, or where fewer than two answers differ.</summary>
    public async Task<RankTask?> TaskAsync(PromptRow prompt, CancellationToken cancel = default)
    {
        var candidates = new List<Candidate>();
        foreach (var (name, digest, model) in versions)
        {
            var ids = model.Encode(prompt.Prompt);
            if (ids.Length >= model.Config.ContextLength)
                return null;
            var how = sampling with { Seed = (long)(RandomStream.Of(sampling.Seed, "answers", digest ?? name, PreferenceForms.Key(prompt.Prompt)).NextBits() >> 1) };
            var said = await model.GenerateAsync([.. Enumerable.Repeat(ids, answers)], new() { Sampling = how, MaxTokens = maxTokens }, cancel);
            var drawn = new AnswerSampling(how.Temperature, how.TopK, how.TopP, how.MinP, maxTokens, how.Seed);
            candidates.AddRange(said.Select(s => new Candidate(s.Text.Trim(), name, digest, drawn)));
        }
        return RankTask.Of(prompt.Prompt, candidates, prompt.Answer);
    }
}
