using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Attune.Core.Versions;

namespace Attune.Torch.Stages;

/// <summary>
/// The options of stages that learn from the policy's own answers. An iteration takes prompts, samples answers, scores
/// them, and makes passes × mini-batches updates from them; an epoch is a pass over the prompts.
/// </summary>
public abstract record RolloutOptions : TuningOptions, IJudged
{
    /// <summary>What the new version is called.</summary>
    [Description("Kind of the new version: base, instruct or chat; chat unless given.")]
    public VersionKind? Kind { get; init; }

    /// <summary>The prompt contract.</summary>
    [Description("Prompt contract of the new version; the parent's unless given.")]
    public string? Contract { get; init; }

    /// <summary>The contract may break the parent's.</summary>
    [Description("The new version may break the prompt contract that trained its parent; its lineage says in what.")]
    public bool ContractChange { get; init; }

    /// <summary>The reward model.</summary>
    [Description("Reward model that scores the answers: a version or a folder, of the policy's tokenizer and contract.")]
    public string? RewardModel { get; init; }

    /// <summary>The rules.</summary>
    [Description("Rules that score the answers, beside or instead of a reward model: exact, contains, number, regex:PATTERN, json, words:N, ended; with a weight as in 0.2*json.")]
    public IReadOnlyList<string> Rules { get; init; } = [];

    /// <summary>Rules that are the truth, where there is one.</summary>
    [Description("Rules that say what is right: the reward model's accuracy on the policy's own answers is measured by them as the policy moves.")]
    public IReadOnlyList<string> Truth { get; init; } = [];

    /// <summary>A version that judges.</summary>
    [Description("A version that judges some of the policy's own answers, where rules cannot: the reward model's accuracy on them is measured by it as the policy moves.")]
    public string? Judge { get; init; }

    /// <summary>An endpoint that judges.</summary>
    [Description("An OpenAI-compatible endpoint that judges them.")]
    public string? Endpoint { get; init; }

    /// <summary>The judge's name there.</summary>
    [Description("The judge's name at the endpoint.")]
    public string? Model { get; init; }

    /// <summary>The judge's principles.</summary>
    [Description("A YAML file with the judge's principles.")]
    public string? Constitution { get; init; }

    /// <summary>Pairs that it compares.</summary>
    [Description("Pairs of answers that the judge compares in an iteration, each in both orders: two calls a pair."), Range(1, 1_000_000)]
    public int JudgePairs { get; init; } = 4;

    /// <summary>Prompts of an iteration.</summary>
    [Description("Prompts of an iteration."), Range(1, 1_000_000)]
    public int Prompts { get; init; } = 16;

    /// <summary>Answers to each prompt.</summary>
    [Description("Answers sampled for each prompt."), Range(1, 100_000)]
    public int Samples { get; init; } = 1;

    /// <summary>Longest answer.</summary>
    [Description("Longest answer, in tokens."), Range(1, 1_048_576)]
    public int MaxNewTokens { get; init; } = 64;

    /// <summary>τ.</summary>
    [Description("Temperature of sampling; every log-probability is taken at it, too."), Range(0, 100, MinimumIsExclusive = true)]
    public double Temperature { get; init; } = 1;

    /// <summary>What an answer without an end costs: TRL recommends such a penalty and takes none.</summary>
    [Description("Subtracted from the score of an answer that did not end its turn."), Range(0, 1e6)]
    public double MissingEndPenalty { get; init; } = 1;

    /// <summary>Largest score: OpenRLHF's; TRL holds none.</summary>
    [Description("Scores are held within ± this; 0 leaves them."), Range(0, 1e6)]
    public double RewardClip { get; init; } = 10;

    /// <summary>Passes over the answers of an iteration.</summary>
    [Description("Passes over the answers of an iteration."), Range(1, 1000)]
    public int Passes { get; init; } = 1;

    /// <summary>Updates of a pass.</summary>
    [Description("Updates of a pass: the answers are split into so many parts."), Range(1, 100_000)]
    public int MiniBatches { get; init; } = 1;

    /// <summary>Tokens that go through the model together.</summary>
    [Description("Most tokens that go through the model together; it changes memory and speed, not the update."), Range(2, 1 << 30)]
    public int MicroBatchTokens { get; init; } = 4096;

    /// <summary>Updates of an iteration.</summary>
    internal int UpdatesPerIteration => Passes * MiniBatches;
}
