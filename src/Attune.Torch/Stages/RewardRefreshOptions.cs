using System.ComponentModel;
using System.ComponentModel.DataAnnotations;

namespace Attune.Torch.Stages;

/// <summary>Options of <see cref="RewardRefresh"/>: a reward model learns the answers that the policy gives now.</summary>
public sealed record RewardRefreshOptions : TrainingOptions, IJudged
{
    /// <summary>The defaults of a reward model.</summary>
    public RewardRefreshOptions() => (LearningRate, SequenceLength, DecayShare) = (1e-5, 512, 1);

    /// <summary>The policy.</summary>
    [Description("The policy whose answers are learnt: a version or a folder, of the reward model's tokenizer and contract.")]
    public string? Policy { get; init; }

    /// <summary>Rules that label.</summary>
    [Description("Rules that say which of two answers is better: exact, contains, number, regex:PATTERN, json, words:N, ended; with a weight as in 0.2*json.")]
    public IReadOnlyList<string> Truth { get; init; } = [];

    /// <summary>A version that labels.</summary>
    [Description("A version that judges the answers, where rules cannot: AI feedback.")]
    public string? Judge { get; init; }

    /// <summary>An endpoint that labels.</summary>
    [Description("An OpenAI-compatible endpoint that judges the answers.")]
    public string? Endpoint { get; init; }

    /// <summary>The judge's name there.</summary>
    [Description("The judge's name at the endpoint.")]
    public string? Model { get; init; }

    /// <summary>The judge's principles.</summary>
    [Description("A YAML file with the judge's principles.")]
    public string? Constitution { get; init; }

    /// <summary>Pairs of before.</summary>
    [Description("Preference files that the reward model was trained on before, mixed in so that it does not forget them.")]
    public IReadOnlyList<string> Keep { get; init; } = [];

    /// <summary>Answers to each prompt.</summary>
    [Description("Answers sampled for each prompt."), Range(2, 1000)]
    public int Samples { get; init; } = 4;

    /// <summary>Longest answer.</summary>
    [Description("Longest answer, in tokens."), Range(1, 1_048_576)]
    public int MaxNewTokens { get; init; } = 64;

    /// <summary>τ.</summary>
    [Description("Temperature of sampling."), Range(0, 100, MinimumIsExclusive = true)]
    public double Temperature { get; init; } = 1;

    /// <summary>Share of the prompts that the accuracy is measured on.</summary>
    [Description("Share of the prompts whose answers are not trained on: the accuracy before and after is theirs."), Range(0, 1, MinimumIsExclusive = true, MaximumIsExclusive = true)]
    public double HeldOut { get; init; } = 0.2;

    /// <summary>c.</summary>
    [Description("Weight of (r_chosen + r_rejected)²."), Range(0, 1000)]
    public double Centring { get; init; } = 0.01;

    /// <summary>Pairs of a micro-batch.</summary>
    [Description("Pairs of a micro-batch."), Range(1, 1_000_000)]
    public int MicroBatchPairs { get; init; } = 8;

    /// <summary>Whether an adapter is left behind.</summary>
    [Description("Train every weight of a reward model that is an adapter on a base: the new version is whole.")]
    public bool Whole { get; init; }

    /// <summary>For tests.</summary>
    public static RewardRefreshOptions Tiny() => new() { SequenceLength = 128, MicroBatchPairs = 4, LearningRate = 3e-3, MaxNewTokens = 8 };
}
