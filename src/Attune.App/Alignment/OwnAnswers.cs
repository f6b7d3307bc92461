using System.Security.Cryptography;
using System.Text;
using Attune.App.Cli;
using Attune.App.Runs;
using Attune.Core.Data;
using Attune.Core.Preferences;
using Attune.Core.Versions;
using Attune.Inference;
using Attune.Prompts;

namespace Attune.App.Alignment;

/// <summary>
/// A version's own answers to prompts, scored, as pairs with margins. They are drawn once and kept under all that decides them,
/// so that a run that resumes learns from what was judged before: a judge may not say the same twice.
/// </summary>
internal sealed class OwnAnswers(AlignOptions options, IAnswerRanker ranker, string folder)
{
    /// <summary>The file of the pairs; null where no two answers to a prompt are scored differently.</summary>
    /// <param name="version">Who answers.</param>
    /// <param name="prompts">What is asked.</param>
    /// <param name="cancel">Stops between prompts.</param>
    public string? Pairs(ModelVersion version, IReadOnlyList<PromptRow> prompts, CancellationToken cancel)
    {
        var file = Path.Combine(folder, $"own-{Key(version, prompts)}.jsonl");
        if (File.Exists(file))
            return file;
        using var model = LocalModel.Open(version.Files);
        var source = new AnswerSampler([new(version.ShortDigest, version.Digest, model)], options.Answers, new SamplingOptions { Temperature = 1, Seed = options.Seed }, options.MaxTokens);
        var pairs = new List<PreferenceRow>();
        var display = new CountDisplay("drawing and scoring answers", prompts.Count);
        foreach (var prompt in prompts)
        {
            cancel.ThrowIfCancellationRequested();
            if (source.TaskAsync(prompt, cancel).GetAwaiter().GetResult() is { } task)
            {
                var scores = ranker.RankAsync(task, cancel).GetAwaiter().GetResult().Scores;
                pairs.AddRange(PreferenceForms.Pairs(new RankingRow(task.Prompt, [.. task.Answers.Select(a => (IReadOnlyList<Message>)[new Message("assistant", a.Text)])], scores, prompt.Origin)));
            }
            display.Add(1);
        }
        display.Close();
        if (pairs.Count == 0)
            return null;
        PreferenceVariants.Write(file, PreferenceVariants.UnitMargins(pairs));
        return file;
    }

    private string Key(ModelVersion version, IReadOnlyList<PromptRow> prompts) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join('\n', [version.Digest, ranker.Name, $"{options.Answers} {options.MaxTokens} {options.Seed}", .. prompts.Select(p => PreferenceForms.Key(p.Prompt) + p.Answer)]))))[..12];
}
