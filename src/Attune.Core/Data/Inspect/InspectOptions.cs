using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Attune.Core.Data;

/// <summary>Options of <c>attune data inspect</c>.</summary>
public sealed record InspectOptions
{
    /// <summary>The files.</summary>
    [Description("Data files to look into; several are searched for duplicates together.")]
    public required IReadOnlyList<string> Data { get; init; }

    /// <summary>Test files.</summary>
    [Description("Test files: how much of them the data files hold is counted.")]
    public IReadOnlyList<string> Test { get; init; } = [];

    /// <summary>The window that prompts must fit.</summary>
    [Description("Window in tokens: prompts that fill it are counted (needs --tokenizer); 0 counts none.")]
    [Range(0, 1_048_576)]
    public int Window { get; init; }

    /// <summary>Threshold of near duplicates.</summary>
    [Description("Rows are near duplicates from this Jaccard similarity of their five-word shingles on.")]
    [Range(0.5, 1.0)]
    public double Similarity { get; init; } = 0.8;

    /// <summary>Length of shared runs.</summary>
    [Description("Words in a row that a test row must share with the data to count as overlap; a shorter test row must be shared whole.")]
    [Range(5, 1000)]
    public int OverlapWords { get; init; } = 13;

    /// <summary>Examples to print.</summary>
    [Description("Examples given of each finding.")]
    [Range(0, 10_000)]
    public int Examples { get; init; } = 5;

    /// <summary>The seed.</summary>
    [Description("Seed of the hashes that near duplicates are found with.")]
    public long Seed { get; init; }
}
