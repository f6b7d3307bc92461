using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Attune.App.Runs;
using Attune.Core.Worlds;

namespace Attune.App.Alignment;

/// <summary>Which table of arms is run.</summary>
internal enum PlanScale
{
    /// <summary>For the versions of the tiny recipe.</summary>
    Tiny,

    /// <summary>For the versions of the quickstart.</summary>
    Full,
}

/// <summary>Options of <c>attune compare-alignment</c>.</summary>
internal sealed record CompareAlignmentOptions
{
    [Description("Folder of the world: its preferences are trained on, its questions are asked (quickstart writes runs/…/world).")]
    public string World { get; init; } = Path.Combine("runs", "quickstart-en-7", "world");

    [Description("The version that every arm starts from.")]
    public string Instruct { get; init; } = "world:instruct";

    [Description("The version before it, for the arms that do without SFT.")]
    public string Base { get; init; } = "world:base";

    [Description("tiny: rates and steps for the tiny recipe's versions, one seed a sweep; full: for the quickstart's, three seeds.")]
    public PlanScale Scale { get; init; } = PlanScale.Full;

    [Description("Parts of the comparison: main, graded, prerequisite, data, beta, rate, noise, length; all of them unless given. main always runs.")]
    public IReadOnlyList<string> Groups { get; init; } = [];

    [Description("Seeds of the arms that the four questions rest on; the scale's number unless given."), Range(1, 100)]
    public int? Seeds { get; init; }

    [Description("Pairs and rankings at most (instructions: four times as many); 0 takes all."), Range(0, 1_000_000_000)]
    public int Rows { get; init; }

    [Description("Updates of PPO; the scale's number unless given."), Range(1, 1_000_000)]
    public int? PpoSteps { get; init; }

    [Description("Questions of each set, at most."), Range(1, 1_000_000)]
    public int Items { get; init; } = 300;

    [Description("Prompts that answers are drawn to, for KL and reward."), Range(1, 1_000_000)]
    public int Prompts { get; init; } = 210;

    [Description("test: the figures to report; valid: the people to tune on.")]
    public WorldSplit Split { get; init; } = WorldSplit.Test;

    [Description("Most tokens of an answer."), Range(1, 100_000)]
    public int MaxTokens { get; init; } = 48;

    [Description("Seconds that a person needs for one judgement: what collecting the preferences is reckoned by."), Range(0, 86_400)]
    public double SecondsPerJudgement { get; init; } = 20;

    [Description("Folder of runs, answers, alignment.json and alignment.html. The same folder resumes.")]
    public string Out { get; init; } = Path.Combine("runs", "compare-alignment");

    [Description("Folder of the versions.")]
    public string Store { get; init; } = Place.DefaultStore;

    [Description("Threads of the arithmetic; 0 takes every core."), Range(0, 1024)]
    public int Threads { get; init; }

    [Description("Show the table of arms and stop.")]
    public bool DryRun { get; init; }

    [Description("Print JSON.")]
    public bool Json { get; init; }
}
