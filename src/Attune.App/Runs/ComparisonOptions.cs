using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Attune.Core.Worlds;

namespace Attune.App.Runs;

/// <summary>Options of <c>attune compare</c>.</summary>
internal sealed record ComparisonOptions
{
    [Description("Versions or model folders, in the order of a model's life: Base Instruct Chat.")]
    public required IReadOnlyList<string> Versions { get; init; }

    [Description("Folder of the world whose questions are asked (quickstart writes runs/…/world).")]
    public string World { get; init; } = Path.Combine("runs", "quickstart-en-7", "world");

    [Description("test: the figures to report; valid: the people to tune on.")]
    public WorldSplit Split { get; init; } = WorldSplit.Test;

    [Description("Questions of each set, at most."), Range(1, 1_000_000)]
    public int Items { get; init; } = 300;

    [Description("Question sets to ask (reading, nores, …); every set unless given.")]
    public IReadOnlyList<string> Sets { get; init; } = [];

    [Description("Folder of the report (JSON and HTML) and the answers.")]
    public string Out { get; init; } = Path.Combine("runs", "compare");

    [Description("Name of the report's files in that folder.")]
    public string ReportName { get; init; } = "report";

    [Description("Folder of the versions.")]
    public string Store { get; init; } = Place.DefaultStore;

    [Description("Most tokens of an answer."), Range(1, 100_000)]
    public int MaxTokens { get; init; } = 48;

    [Description("Ask by another prompt contract than each version's own: a built-in name, a folder or a file. It is refused unless the mismatch is meant.")]
    public string? Contract { get; init; }

    [Description("A contract that is not the version's own is meant: to measure what it does.")]
    public bool AllowContractMismatch { get; init; }

    [Description("Print JSON.")]
    public bool Json { get; init; }
}
