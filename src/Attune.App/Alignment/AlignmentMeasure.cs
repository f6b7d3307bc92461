using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.App.Cli;
using Attune.App.Runs;
using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Evaluation.Comparison;
using Attune.Core.Versions;
using Attune.Core.Worlds;
using Attune.Inference;
using Attune.Prompts;
using Attune.Torch.Stages;

namespace Attune.App.Alignment;

/// <summary>Answers that a policy drew at temperature 1, and what is known of each.</summary>
/// <param name="Kl">ln π − ln ref of each answer, nats.</param>
/// <param name="Grades">The world's grade of each over the best grade, 0 to 1.</param>
/// <param name="Rewards">A reward model's score of each, or null where there is no reward model.</param>
internal sealed record DrawnAnswers(IReadOnlyList<double> Kl, IReadOnlyList<double> Grades, IReadOnlyList<double>? Rewards);

/// <summary>A trained arm with all that was measured on it.</summary>
internal sealed record MeasuredRun(ArmRun Run, JudgedVersion Judged, DrawnAnswers Drawn);

/// <summary>
/// Measures trained versions: greedy answers to the world's questions, judged; and answers drawn at temperature 1, two to a
/// prompt, for the distance from the start, the reward model's opinion and the truth about the same answers.
/// </summary>
internal sealed class AlignmentMeasure(AnswerBook book, WorldJudge judge, int prompts, int maxTokens, string folder)
{
    private const int Draws = 2;

    /// <summary>Measures a run.</summary>
    /// <param name="run">The run.</param>
    /// <param name="sets">The questions.</param>
    /// <param name="reference">What the KL is measured to: where the run started.</param>
    /// <param name="reward">A reward model for all runs alike, or null.</param>
    /// <param name="cancel">Stops between versions.</param>
    public MeasuredRun Of(ArmRun run, IReadOnlyDictionary<string, IReadOnlyList<WorldQuestion>> sets, ModelVersion reference, ModelVersion? reward, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var judged = book.Ask(run.Arm.Key, run.Version.Files, run.Version, sets, judge, cancel);
        return new MeasuredRun(run, judged, Drawn(run.Version, reference, reward, Prompts(sets), cancel));
    }

    /// <summary>The prompts that answers are drawn to: the first of each set of behaviour.</summary>
    public IReadOnlyList<WorldQuestion> Prompts(IReadOnlyDictionary<string, IReadOnlyList<WorldQuestion>> sets) =>
        [.. QuestionSets.Behaviour.SelectMany(set => sets[set].Take(Math.Max(1, prompts / QuestionSets.Behaviour.Count)))];

    private DrawnAnswers Drawn(ModelVersion version, ModelVersion reference, ModelVersion? reward, IReadOnlyList<WorldQuestion> questions, CancellationToken cancel)
    {
        var path = Path.Combine(folder, "drawn", $"{version.ShortDigest}-{reference.ShortDigest}-{reward?.ShortDigest ?? "none"}-{questions.Count}.json");
        if (File.Exists(path))
            return JsonSerializer.Deserialize<DrawnAnswers>(File.ReadAllText(path))!;
        Terminal.Error.Line($"  drawing answers of {version.ShortDigest}");
        var (rows, texts, asked) = Draw(version, questions, cancel);
        var kept = Enumerable.Range(0, rows.Count).Where(i => rows[i].TrainedTokens > 0).ToArray();
        var kl = PolicyDistance.Of(version.Files, reference.Files, [.. kept.Select(i => rows[i])], cancel);
        IReadOnlyList<double>? rewards = null;
        if (reward is not null)
        {
            using var scorer = RewardScorer.Open(reward.Files);
            rewards = scorer.Score([.. kept.Select(i => new Conversation([.. asked[i / Draws].Messages, new("assistant", texts[i])]))], cancel);
        }
        var drawn = new DrawnAnswers(kl, [.. kept.Select(i => judge.Judge(asked[i / Draws], texts[i]).Grade / 3.0)], rewards);
        Atomic.WriteAllText(path, JsonSerializer.Serialize(drawn));
        return drawn;
    }

    // Prompts that leave no room for an answer are not asked.
    private (IReadOnlyList<TokenRow> Rows, IReadOnlyList<string> Texts, IReadOnlyList<WorldQuestion> Asked) Draw(ModelVersion version, IReadOnlyList<WorldQuestion> questions, CancellationToken cancel)
    {
        using var model = LocalModel.Open(version.Files);
        WorldQuestion[] asked = [.. questions.Where(q => model.Encode(new Conversation(q.Messages)).Length < model.Config.ContextLength)];
        int[][] ids = [.. asked.Select(q => model.Encode(new Conversation(q.Messages)))];
        var how = new GenerationOptions { Sampling = new() { Temperature = 1, Seed = 1 }, MaxTokens = maxTokens };
        var answers = model.GenerateAsync([.. ids.SelectMany(prompt => Enumerable.Repeat(prompt, Draws))], how, cancel).GetAwaiter().GetResult();
        TokenRow[] rows =
        [
            .. answers.Select((answer, i) => new TokenRow
            {
                Ids = [.. ids[i / Draws], .. answer.Ids],
                Trained = [.. Enumerable.Repeat(false, ids[i / Draws].Length), .. Enumerable.Repeat(true, answer.Ids.Count)],
                Origin = new RowOrigin(asked[i / Draws].Id, 1),
            }),
        ];
        return (rows, [.. answers.Select(a => a.Text)], asked);
    }
}
