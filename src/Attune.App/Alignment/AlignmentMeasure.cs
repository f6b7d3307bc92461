using System.Text;
using System.Text.Json;
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
using PreferenceRow = Attune.Core.Data.PreferenceRow;

namespace Attune.App.Alignment;

/// <summary>Answers that a policy drew at temperature 1, two to a prompt, and what is known of them; the mean of each prompt's.</summary>
/// <param name="Kl">ln π − ln ref, nats an answer.</param>
/// <param name="Grades">The world's grade over the best grade, 0 to 1.</param>
/// <param name="Rewards">A reward model's score, or null where there is no reward model.</param>
internal sealed record DrawnAnswers(double[] Kl, double[] Grades, double[]? Rewards);

/// <summary>A trained arm with all that was measured on it.</summary>
/// <param name="Run">The run.</param>
/// <param name="Judged">Its answers to the world's questions.</param>
/// <param name="Drawn">Answers that it drew.</param>
/// <param name="Preference">σ(Δ) of held-out pairs.</param>
internal sealed record MeasuredRun(ArmRun Run, JudgedVersion Judged, DrawnAnswers Drawn, double[] Preference);

/// <summary>
/// Measures trained versions: greedy answers to the world's questions, judged; answers drawn at temperature 1, two to a
/// prompt, for the distance from the start, the reward model's opinion and the truth about the same answers; and which
/// answer of held-out pairs has gained on the other.
/// </summary>
internal sealed class AlignmentMeasure(AnswerBook book, WorldJudge judge, IReadOnlyList<PreferenceRow> heldOut, int prompts, int maxTokens, string folder)
{
    private const int Draws = 2;

    /// <summary>Measures a run.</summary>
    /// <param name="run">The run.</param>
    /// <param name="sets">The questions.</param>
    /// <param name="reward">A reward model for all arms alike, or null.</param>
    /// <param name="cancel">Stops between versions.</param>
    public MeasuredRun Of(ArmRun run, IReadOnlyDictionary<string, IReadOnlyList<WorldQuestion>> sets, ModelVersion? reward, CancellationToken cancel)
    {
        cancel.ThrowIfCancellationRequested();
        var judged = book.Ask(run.Arm.Key, run.Version.Files, run.Version, sets, judge, cancel);
        return new MeasuredRun(run, judged, Drawn(run, reward, Prompts(sets), cancel), Preference(run, cancel));
    }

    /// <summary>The prompts that answers are drawn to: the first of each set of behaviour.</summary>
    public IReadOnlyList<WorldQuestion> Prompts(IReadOnlyDictionary<string, IReadOnlyList<WorldQuestion>> sets) =>
        [.. QuestionSets.Behaviour.SelectMany(set => sets[set].Take(Math.Max(1, prompts / QuestionSets.Behaviour.Count)))];

    private DrawnAnswers Drawn(ArmRun run, ModelVersion? reward, IReadOnlyList<WorldQuestion> questions, CancellationToken cancel) => Once("drawn", run, $"{reward?.ShortDigest}-{maxTokens}", questions.Select(q => q.Id), () =>
    {
        var (rows, texts, asked) = Draw(run.Version, questions, cancel);
        var kl = PolicyDistance.Of(run.Version.Files, run.Start.Files, rows, cancel);
        IReadOnlyList<double>? rewards = null;
        if (reward is not null)
        {
            using var scorer = RewardScorer.Open(reward.Files);
            rewards = scorer.Score([.. texts.Select((text, i) => new Conversation([.. asked[i / Draws].Messages, new("assistant", text)]))], cancel);
        }
        return new DrawnAnswers(Means(kl), Means([.. texts.Select((text, i) => judge.Judge(asked[i / Draws], text).Grade / 3.0)]), rewards is null ? null : Means(rewards));
    });

    // σ(Δ): the probability of the chosen answer against the rejected one, were both alike at the start (arXiv 2305.18290, β 1).
    private double[] Preference(ArmRun run, CancellationToken cancel) => run.IsStart ? [] : Once("preference", run, "", heldOut.Select(p => p.Origin.ToString()), () =>
        PairShift.Of(run.Version.Files, run.Start.Files, heldOut, HuggingFaceConfig.Read(run.Start.Files.Require(ModelFiles.Config)).ContextLength, cancel).Select(shift => 1 / (1 + Math.Exp(-shift))).ToArray());

    // What was measured of a version against its start is kept, and not measured twice.
    private T Once<T>(string what, ArmRun run, string how, IEnumerable<string> items, Func<T> measure)
    {
        var path = Path.Combine(folder, what, $"{run.Version.ShortDigest}-{run.Start.ShortDigest}-{Digests.Sha256Of(Encoding.UTF8.GetBytes(string.Join('\n', items.Prepend(how))))[..12]}.json");
        if (File.Exists(path))
            return JsonSerializer.Deserialize<T>(File.ReadAllText(path))!;
        Terminal.Error.Line($"  measuring {run.Arm.Key}, seed {run.Seed}: {what}");
        var measured = measure();
        Atomic.WriteAllText(path, JsonSerializer.Serialize(measured));
        return measured;
    }

    private static double[] Means(IReadOnlyList<double> answers) => [.. answers.Chunk(Draws).Select(prompt => prompt.Average())];

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
