using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Attune.App.Runs;

namespace Attune.App.Commands;

/// <summary>Who ranks.</summary>
internal enum RankBy
{
    /// <summary>Whoever sits at the keyboard.</summary>
    Person,

    /// <summary>Rules that can be checked.</summary>
    Rules,

    /// <summary>A reward model of the store.</summary>
    Reward,

    /// <summary>A chat model under a constitution.</summary>
    Judge,
}

/// <summary>Options of <c>attune rank</c>.</summary>
internal sealed record RankOptions
{
    [Description("A file of prompts: lines of text, or JSON rows of any format that is read (docs/guides/data.md).")]
    public required string Prompts { get; init; }

    [Description("Versions or folders that answer; none ranks the answers that the file holds already.")]
    public IReadOnlyList<string> Versions { get; init; } = [];

    [Description("Answers drawn from each version."), Range(1, 9)]
    public int Answers { get; init; } = 4;

    [Description("The file that the judgements are added to. The same file goes on where it stopped.")]
    public string Out { get; init; } = "preferences.jsonl";

    [Description("Who ranks: person, rules, reward or judge.")]
    public RankBy By { get; init; } = RankBy.Person;

    [Description("Name that stands beside the judgements of a person.")]
    public string Annotator { get; init; } = Environment.UserName;

    [Description("A rule an answer must keep (for rules): exact, contains, number (against the prompt's answer), regex:PATTERN, not:PATTERN, json, json:KEY,KEY, words:N; with a weight as in 0.5*json. Several may be given.")]
    public IReadOnlyList<string> Rule { get; init; } = [];

    [Description("A reward model: a version or folder (for reward).")]
    public string? Reward { get; init; }

    [Description("A version or folder that judges (for judge).")]
    public string? Judge { get; init; }

    [Description("An OpenAI-compatible endpoint that judges, as in http://localhost:11434/v1; its key is taken from OPENAI_API_KEY.")]
    public string? Endpoint { get; init; }

    [Description("The judge's name at the endpoint.")]
    public string? Model { get; init; }

    [Description("A YAML file with the principles that the judge follows; a general one unless given.")]
    public string? Constitution { get; init; }

    [Description("Prompts at most, from the start of the file; 0 takes all."), Range(0, 1_000_000_000)]
    public int Limit { get; init; }

    [Description("Temperature of the answers."), Range(0, 100)]
    public double Temperature { get; init; } = 1;

    [Description("Keep the smallest set of tokens with this much probability together."), Range(0, 1)]
    public double TopP { get; init; } = 1;

    [Description("Most tokens of an answer."), Range(1, 1_000_000)]
    public int MaxTokens { get; init; } = 128;

    [Description("Seed of the answers and of the order in which they are shown.")]
    public long Seed { get; init; } = 1;

    [Description("Folder of the versions.")]
    public string Store { get; init; } = Place.DefaultStore;
}
