using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Attune.App.Runs;

namespace Attune.App.Alignment;

/// <summary>Options of <c>attune align</c>. What is left out is decided by <see cref="AlignRules"/> and by measurement.</summary>
internal sealed record AlignOptions
{
    [Description("The version to align.")]
    public required string Version { get; init; }

    [Description("Pairs, rankings, scores, thumbs, prompts, conversations or texts.")]
    public IReadOnlyList<string> Data { get; init; } = [];

    [Description("Time that the whole of it may take.")]
    public TimeSpan Budget { get; init; } = TimeSpan.FromMinutes(20);

    [Description("Name of the new version; without one it has its digest only.")]
    public string? SaveAs { get; init; }

    [Description("The stage to train with (dpo, kto, orpo, grpo, rloo, ppo, sft, pretrain); decided from the data unless given.")]
    public string? Method { get; init; }

    [Description("Options of the stage, as in loss=ipo; they stand over what is decided.")]
    public IReadOnlyList<string> Set { get; init; } = [];

    [Description("What holds the version to its start: beta of the stage, KL coefficient of PPO; swept on a share of the data unless given."), Range(0, 1000, MinimumIsExclusive = true)]
    public double? Beta { get; init; }

    [Description("Learning rate; from the model's size unless given."), Range(0, 10, MinimumIsExclusive = true)]
    public double? LearningRate { get; init; }

    [Description("Rounds that the data is learnt in; after each the held-out win rate is measured."), Range(1, 100)]
    public int Rounds { get; init; } = 3;

    [Description("Share of the prompts that is held out to measure by."), Range(0.01, 0.5)]
    public double HeldOut { get; init; } = 0.1;

    [Description("KL to the start, nats an answer, at which it stops; 10 unless given, and none for a stage without a reference (sft, orpo, pretrain)."), Range(0, 1e6, MinimumIsExclusive = true)]
    public double? KlBound { get; init; }

    [Description("Share of the data that beta (or the KL coefficient) is swept on; 0 sweeps nothing."), Range(0, 1)]
    public double SweepShare { get; init; } = 0.25;

    [Description("Folder of a world: its judge measures win rates, its task figures gate.")]
    public string? World { get; init; }

    [Description("Files whose answers (or texts) the version must keep: its tasks.")]
    public IReadOnlyList<string> Tasks { get; init; } = [];

    [Description("How an answer to a task is judged: exact, contains, number…; without one its loss is.")]
    public IReadOnlyList<string> TaskRule { get; init; } = [];

    [Description("What a task figure may lose (share of answers; nats a token for losses)."), Range(0, 1)]
    public double Tolerance { get; init; } = 0.02;

    [Description("Rules that score new answers.")]
    public IReadOnlyList<string> Rule { get; init; } = [];

    [Description("A reward model that scores new answers.")]
    public string? Reward { get; init; }

    [Description("A version that judges new answers.")]
    public string? Judge { get; init; }

    [Description("An OpenAI-compatible endpoint that judges.")]
    public string? Endpoint { get; init; }

    [Description("The judge's name at the endpoint.")]
    public string? Model { get; init; }

    [Description("A YAML file with the judge's principles.")]
    public string? Constitution { get; init; }

    [Description("Whether the version's own answers, scored, are learnt after given pairs or thumbs: auto (where the given answers lie far from what it says, and the budget allows it), always, never.")]
    public OwnAnswersUse OwnAnswers { get; init; }

    [Description("Answers drawn to each prompt where pairs are made of the version's own."), Range(2, 64)]
    public int Answers { get; init; } = 4;

    [Description("Most tokens of an answer."), Range(1, 100_000)]
    public int MaxTokens { get; init; } = 64;

    [Description("Longest row, in tokens; the version's window, 1,024 at most, unless given."), Range(2, 1_048_576)]
    public int? SequenceLength { get; init; }

    [Description("Held-out prompts and task items at most."), Range(1, 1_000_000)]
    public int Items { get; init; } = 200;

    [Description("Seed of everything.")]
    public long Seed { get; init; } = 1;

    [Description("Folder of the run; the same folder resumes. [runs/align-NAME]")]
    public string? Out { get; init; }

    [Description("Folder of the versions.")]
    public string Store { get; init; } = Place.DefaultStore;

    [Description("Threads of the arithmetic; 0 takes every core."), Range(0, 1024)]
    public int Threads { get; init; }

    [Description("Say what would be done, why, and what it would cost, and stop.")]
    public bool DryRun { get; init; }

    [Description("Print JSON.")]
    public bool Json { get; init; }
}
