using System.ComponentModel;
using Attune.Core.Checkpoints;

namespace Attune.Inference;

/// <summary>
/// How the next token is chosen. The parts act in transformers' order: repetition penalty, no-repeat n-gram,
/// temperature, top-k, top-p, min-p, typical-p. The defaults change nothing; temperature 0 takes the likeliest token.
/// </summary>
public sealed record SamplingOptions
{
    /// <summary>The likeliest token, always.</summary>
    public static SamplingOptions Greedy { get; } = new() { Temperature = 0 };

    /// <summary>Divides the logits; 0 is greedy.</summary>
    [Description("Divides the logits: 0 takes the likeliest token, 1 samples as the model says")]
    public double Temperature { get; init; } = 1;

    /// <summary>Keeps the likeliest tokens, this many; 0 keeps all. Fan et al., 2018.</summary>
    [Description("Keep only this many of the likeliest tokens (0 = all)")]
    public int TopK { get; init; }

    /// <summary>Keeps the smallest set of likeliest tokens with at least this probability; 1 keeps all. Holtzman et al., 2020.</summary>
    [Description("Keep the smallest set of tokens with this much probability together (1 = all)")]
    public double TopP { get; init; } = 1;

    /// <summary>Drops tokens less likely than this share of the likeliest one; 0 drops none. Nguyen et al., 2024.</summary>
    [Description("Drop tokens less likely than this share of the likeliest (0 = none)")]
    public double MinP { get; init; }

    /// <summary>Keeps the tokens whose surprise is nearest to the expected one, up to this probability; 1 keeps all. Meister et al., 2022.</summary>
    [Description("Keep the tokens of most typical surprise with this much probability together (1 = all)")]
    public double TypicalP { get; init; } = 1;

    /// <summary>Divides positive and multiplies negative logits of tokens that occurred before; 1 leaves them. Keskar et al., 2019.</summary>
    [Description("Make tokens that occurred before less likely (1 = leave them)")]
    public double RepetitionPenalty { get; init; } = 1;

    /// <summary>Forbids every token that would complete a run of this many tokens that occurred before; 0 forbids none.</summary>
    [Description("Never say a run of this many tokens again (0 = off)")]
    public int NoRepeatNgramSize { get; init; }

    /// <summary>Seed of the draws. Sequence i of a call draws from RandomStream.Of(seed, "sample", i), whatever runs beside it.</summary>
    [Description("Seed of the draws")]
    public long Seed { get; init; } = 1;

    /// <summary>Whether no token is cut away.</summary>
    internal bool KeepsAll => TopK == 0 && TopP == 1 && MinP == 0 && TypicalP == 1;

    /// <summary>What a checkpoint's makers recommend; greedy where they do not sample.</summary>
    public static SamplingOptions From(GenerationConfig config) => new()
    {
        Temperature = config.DoSample ? config.Temperature ?? 1 : 0,
        TopK = config.DoSample ? config.TopK ?? 0 : 0,
        TopP = config.DoSample ? config.TopP ?? 1 : 1,
        MinP = config.DoSample ? config.MinP ?? 0 : 0,
        TypicalP = config.DoSample ? config.TypicalP ?? 1 : 1,
        RepetitionPenalty = config.RepetitionPenalty ?? 1,
        NoRepeatNgramSize = config.NoRepeatNgramSize ?? 0,
    };

    /// <summary>Refuses values that have no meaning.</summary>
    /// <exception cref="InferenceException">ATT6004, naming the option.</exception>
    public void Validate()
    {
        Require(Temperature >= 0, nameof(Temperature), "Temperature must be 0 or more.");
        Require(TopK >= 0, nameof(TopK), "Top-k must be 0 (all) or more.");
        Require(TopP is > 0 and <= 1, nameof(TopP), "Top-p must be above 0 and at most 1.");
        Require(MinP is >= 0 and <= 1, nameof(MinP), "Min-p must be between 0 and 1.");
        Require(TypicalP is > 0 and <= 1, nameof(TypicalP), "Typical-p must be above 0 and at most 1.");
        Require(RepetitionPenalty > 0, nameof(RepetitionPenalty), "The repetition penalty must be above 0.");
        Require(NoRepeatNgramSize >= 0, nameof(NoRepeatNgramSize), "The n-gram size must be 0 (off) or more.");

        static void Require(bool good, string field, string message)
        {
            if (!good)
                throw InferenceException.BadOption(field, message);
        }
    }
}
