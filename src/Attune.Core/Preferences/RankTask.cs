using System.Security.Cryptography;
using System.Text;
using Attune.Core.Data;
using Attune.Prompts;

namespace Attune.Core.Preferences;

/// <summary>How answers were drawn: enough to draw them again.</summary>
/// <param name="Temperature">Divides the logits; 0 is greedy.</param>
/// <param name="TopK">Likeliest tokens kept; 0 keeps all.</param>
/// <param name="TopP">Probability kept.</param>
/// <param name="MinP">Share of the likeliest token's probability below which tokens are dropped.</param>
/// <param name="MaxTokens">Most tokens of an answer.</param>
/// <param name="Seed">The seed of the draws.</param>
public sealed record AnswerSampling(double Temperature, int TopK, double TopP, double MinP, int MaxTokens, long Seed);

/// <summary>An answer to be ranked.</summary>
/// <param name="Text">What it says.</param>
/// <param name="Model">The name of the version that said it, as the user gave it; "data" for an answer that came with the prompt.</param>
/// <param name="Digest">Digest of that version, or null for a plain folder and for "data".</param>
/// <param name="Sampling">How it was drawn, or null for "data".</param>
public sealed record Candidate(string Text, string Model, string? Digest = null, AnswerSampling? Sampling = null);

/// <summary>One prompt with the answers that someone is to rank.</summary>
/// <param name="Prompt">Ends with the user.</param>
/// <param name="Answers">Two or more, different from each other.</param>
/// <param name="Reference">What a right answer says, where that is known: rules compare with it, people are not shown it.</param>
public sealed record RankTask(Conversation Prompt, IReadOnlyList<Candidate> Answers, string? Reference = null)
{
    /// <summary>The name of prompt and answers together: the same for everybody who ranks the same answers, whatever version gave them.</summary>
    public string Id { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\0', [PreferenceForms.Key(Prompt), .. Answers.Select(a => a.Text)]))))[..16];

    /// <summary>A task of the different ones among some answers, in their order; null where fewer than two differ.</summary>
    public static RankTask? Of(Conversation prompt, IEnumerable<Candidate> answers, string? reference = null)
    {
        Candidate[] different = [.. answers.Where(a => !string.IsNullOrWhiteSpace(a.Text)).DistinctBy(a => a.Text.Trim(), StringComparer.Ordinal)];
        return different.Length < 2 ? null : new RankTask(prompt, different, reference);
    }
}
