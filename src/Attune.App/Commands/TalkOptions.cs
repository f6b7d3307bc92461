using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Attune.App.Runs;
using Attune.Inference;

namespace Attune.App.Commands;

/// <summary>What <c>generate</c> and <c>chat</c> share: which version, and how its tokens are chosen.</summary>
internal record TalkOptions
{
    [Description("A version (world:chat) or a model folder.")]
    public required string Version { get; init; }

    [Description("0 takes the likeliest token; the version's own setting unless given."), Range(0, 100)]
    public double? Temperature { get; init; }

    [Description("Keep only this many of the likeliest tokens; 0 keeps all."), Range(0, 1_000_000)]
    public int? TopK { get; init; }

    [Description("Keep the smallest set of tokens with this much probability together."), Range(0, 1)]
    public double? TopP { get; init; }

    [Description("Drop tokens less likely than this share of the likeliest."), Range(0, 1)]
    public double? MinP { get; init; }

    [Description("Make tokens that occurred before less likely; 1 leaves them."), Range(0, 100)]
    public double? RepetitionPenalty { get; init; }

    [Description("Seed of the draws.")]
    public long Seed { get; init; } = 1;

    [Description("Most tokens of an answer."), Range(1, 1_000_000)]
    public int MaxTokens { get; init; } = 256;

    [Description("Folder of the versions.")]
    public string Store { get; init; } = Place.DefaultStore;

    [Description("Speak by another prompt contract than the version's own: a built-in name, a folder or a file. It is refused unless the mismatch is meant.")]
    public string? Contract { get; init; }

    [Description("A contract that is not the version's own is meant.")]
    public bool AllowContractMismatch { get; init; }

    /// <summary>How the version is opened: under its own contract, or under the one that was given.</summary>
    public LocalModelOptions Opening() => Running.Contract(Contract, AllowContractMismatch);

    /// <summary>The version's own sampling with what was given over it.</summary>
    public SamplingOptions Sampling(SamplingOptions own)
    {
        var sampling = own with
        {
            Temperature = Temperature ?? own.Temperature,
            TopK = TopK ?? own.TopK,
            TopP = TopP ?? own.TopP,
            MinP = MinP ?? own.MinP,
            RepetitionPenalty = RepetitionPenalty ?? own.RepetitionPenalty,
            Seed = Seed,
        };
        sampling.Validate();
        return sampling;
    }
}
