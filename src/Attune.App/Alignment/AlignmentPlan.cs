using System.Globalization;

namespace Attune.App.Alignment;

/// <summary>One stage of an arm, as a recipe would have it.</summary>
/// <param name="Stage">sft, reward, ppo, dpo.</param>
/// <param name="Options">What differs from the stage's defaults; <c>${reward}</c> and <c>${policy}</c> stand for what the arm trained before.</param>
internal sealed record ArmStage(string Stage, IReadOnlyDictionary<string, object?> Options)
{
    /// <summary>Lines that the stage takes in a recipe: its name and one for each option that is set.</summary>
    public int RecipeLines => 1 + Options.Count;
}

/// <summary>One way of training, small enough to be a recipe of its own.</summary>
internal sealed record AlignmentArm
{
    /// <summary>dpo, graded-dpo-margin…: what the report calls it.</summary>
    public required string Key { get; init; }

    /// <summary>sft, dpo or rlhf; start where nothing is trained.</summary>
    public required string Method { get; init; }

    /// <summary>Which part of the report it is for: main, graded, prerequisite, data, beta, rate, noise or length.</summary>
    public required string Group { get; init; }

    /// <summary>Whether it starts from Base instead of Instruct.</summary>
    public bool FromBase { get; init; }

    /// <summary>What is varied in its group: β, the factor on the rate or on the length, the share of exchanged pairs, the share of the rows.</summary>
    public double? Varied { get; init; }

    /// <summary>The quality of its SFT set, where that is varied beside the size.</summary>
    public string? DataQuality { get; init; }

    /// <summary>The stages, in order.</summary>
    public required IReadOnlyList<ArmStage> Stages { get; init; }

    /// <summary>The seeds it is trained with.</summary>
    public required IReadOnlyList<long> Seeds { get; init; }

    /// <summary>Versions that it trains.</summary>
    public int Versions => Stages.Count == 0 ? 0 : Seeds.Count;
}

/// <summary>Sizes of the plan.</summary>
/// <param name="Seeds">Seeds of what the questions rest on.</param>
/// <param name="SweepSeeds">Seeds of each point of a sweep.</param>
/// <param name="SftRate">Learning rate of SFT (Muon).</param>
/// <param name="DpoRate">Learning rate of DPO.</param>
/// <param name="RewardRate">Learning rate of the reward model.</param>
/// <param name="PpoRate">Learning rate of PPO.</param>
/// <param name="PpoSteps">Updates of PPO: eight to an iteration of 64 answers.</param>
/// <param name="SequenceLength">Longest row; the window of the version that is started from.</param>
internal sealed record AlignmentScale(int Seeds, int SweepSeeds, double SftRate, double DpoRate, double RewardRate, double PpoRate, int PpoSteps, int SequenceLength)
{
    /// <summary>For the tiny recipe's versions.</summary>
    public static AlignmentScale Tiny { get; } = new(3, 1, 0.004, 1e-4, 5e-4, 1e-4, 64, 256);

    /// <summary>For the quickstart's versions.</summary>
    public static AlignmentScale Full { get; } = new(3, 3, 0.0025, 3e-5, 5e-4, 3e-5, 240, 256);
}

/// <summary>The table of arms: everything that is trained, as data.</summary>
internal static class AlignmentPlan
{
    public static readonly string[] Groups = ["main", "graded", "prerequisite", "data", "beta", "rate", "noise", "length"];

    /// <summary>The arm that trains nothing.</summary>
    public const string Start = "start";

    private const double Beta = 0.1, Kl = 0.05;

    private static readonly double[] Betas = [0.03, 0.3], Rates = [1.0 / 3, 3], Flips = [0.25, 0.5, 1], Lengths = [0.25, 0.5, 2, 4];

    /// <summary>What a method takes where nothing is varied: β, or PPO's KL coefficient.</summary>
    public static double OwnBeta(string method) => method == "rlhf" ? Kl : Beta;

    /// <summary>The arms of some groups.</summary>
    /// <param name="scale">Sizes.</param>
    /// <param name="groups">Of <see cref="Groups"/>.</param>
    /// <param name="data">Where <see cref="AlignmentData"/> wrote its files.</param>
    public static IReadOnlyList<AlignmentArm> Of(AlignmentScale scale, IReadOnlyCollection<string> groups, AlignmentData data)
    {
        long[] seeds = [.. Enumerable.Range(1, scale.Seeds).Select(s => (long)s)], sweep = [.. Enumerable.Range(1, scale.SweepSeeds).Select(s => (long)s)];
        AlignmentArm Arm(string key, string method, string group, long[] with, params IReadOnlyList<ArmStage> stages) => new() { Key = key, Method = method, Group = group, Stages = stages, Seeds = with };
        ArmStage[] Sft(string file, double rate = 1) => [Stage("sft", ("data", file), ("optimiser", "muon"), ("learning_rate", scale.SftRate * rate), ("matrix_rate_scale", 0.4), ("sequence_length", scale.SequenceLength))];
        ArmStage[] Dpo(string file, double beta = Beta, double rate = 1, string loss = "sigmoid", double length = 1) =>
        [
            Stage("dpo", [("data", file), ("loss", loss), ("beta", beta), ("learning_rate", scale.DpoRate * rate), ("micro_batch_pairs", 16), ("sequence_length", scale.SequenceLength),
                .. length == 1 ? [] : new (string, object?)[] { ("epochs", length) },
                // The world's grades are 0 to 3: the mean margin of a ranking's pairs becomes one.
                .. loss == "offset" ? [("margin_scale", (object?)0.6)] : Array.Empty<(string, object?)>()]),
        ];
        ArmStage[] Rlhf(string file, double kl = Kl, double rate = 1, bool rankings = false, double length = 1) =>
        [
            Stage("reward", ("data", file), ("likelihood", rankings ? "rankings" : "pairs"), ("learning_rate", scale.RewardRate), ("micro_batch_pairs", 16), ("sequence_length", scale.SequenceLength)),
            Stage("ppo", ("data", data.Prompts), ("reward_model", "${reward}"), ("kl_coefficient", kl), ("learning_rate", scale.PpoRate * rate), ("steps", Math.Max(1, (int)(scale.PpoSteps * length))),
                ("prompts", 64), ("max_new_tokens", 48), ("mini_batches", 2), ("sequence_length", scale.SequenceLength)),
        ];
        AlignmentArm FromBase(AlignmentArm arm) => arm with { FromBase = true, Stages = [.. arm.Stages.Select(s => s with { Options = new Dictionary<string, object?>(s.Options) { ["contract"] = "chatml" } })] };

        AlignmentArm[] all =
        [
            // What all start from, as it is.
            Arm(Start, Start, "main", seeds),
            Arm("sft", "sft", "main", seeds, Sft(data.Chosen(0))),
            Arm("dpo", "dpo", "main", seeds, Dpo(data.Pairs(0))),
            Arm("rlhf", "rlhf", "main", seeds,
            [
                .. Rlhf(data.Pairs(0)),
                // What it takes to keep the reward model true to a policy that has moved; the policy is not trained on.
                Stage("refresh", ("data", data.Questions), ("policy", "${policy}"), ("truth", "contains"), ("keep", data.Pairs(0)), ("learning_rate", scale.RewardRate / 5), ("sequence_length", scale.SequenceLength)),
            ]),

            Arm("graded-dpo", "dpo", "graded", seeds, Dpo(data.GradedBare)),
            Arm("graded-dpo-margin", "dpo", "graded", seeds, Dpo(data.GradedMargins, loss: "offset")),
            Arm("graded-dpo-list", "dpo", "graded", seeds, Dpo(data.Rankings, loss: "listwise")),
            Arm("graded-rlhf", "rlhf", "graded", seeds, Rlhf(data.Rankings, rankings: true)),

            FromBase(Arm("base-dpo", "dpo", "prerequisite", seeds, Dpo(data.Pairs(0)))),
            FromBase(Arm("base-rlhf", "rlhf", "prerequisite", seeds, Rlhf(data.Pairs(0)))),

            .. from quality in AlignmentData.Qualities
               from size in AlignmentData.Sizes
               select FromBase(Arm($"data-{quality}-{size.Name}", "sft", "data", seeds, Sft(data.Instructions(quality, size.Name)))) with { DataQuality = quality, Varied = size.Share },

            .. Betas.SelectMany(beta => new[]
            {
                Arm(Named("dpo-beta", beta), "dpo", "beta", sweep, Dpo(data.Pairs(0), beta: beta)) with { Varied = beta },
                Arm(Named("rlhf-kl", beta / Beta * Kl), "rlhf", "beta", sweep, Rlhf(data.Pairs(0), kl: beta / Beta * Kl)) with { Varied = beta / Beta * Kl },
            }),
            .. Rates.SelectMany(rate => new[]
            {
                Arm(Named("sft-rate", rate), "sft", "rate", sweep, Sft(data.Chosen(0), rate)) with { Varied = rate },
                Arm(Named("dpo-rate", rate), "dpo", "rate", sweep, Dpo(data.Pairs(0), rate: rate)) with { Varied = rate },
                Arm(Named("rlhf-rate", rate), "rlhf", "rate", sweep, Rlhf(data.Pairs(0), rate: rate)) with { Varied = rate },
            }),
            .. Flips.SelectMany(share => new[]
            {
                Arm(Named("sft-flip", share), "sft", "noise", sweep, Sft(data.Chosen(share))) with { Varied = share },
                // The sceptic's question rests on these.
                Arm(Named("dpo-flip", share), "dpo", "noise", seeds, Dpo(data.Pairs(share))) with { Varied = share },
                Arm(Named("rlhf-flip", share), "rlhf", "noise", sweep, Rlhf(data.Pairs(share))) with { Varied = share },
            }),
            .. Lengths.SelectMany(length => new[]
            {
                Arm(Named("dpo-length", length), "dpo", "length", sweep, Dpo(data.Pairs(0), length: length)) with { Varied = length },
                Arm(Named("rlhf-length", length), "rlhf", "length", sweep, Rlhf(data.Pairs(0), length: length)) with { Varied = length },
            }),
        ];
        // What everything is compared with runs whatever groups are asked for.
        return [.. all.Where(a => a.Group == "main" || groups.Contains(a.Group))];
    }

    // Rows that do not fit are left out, and counted by the preflight: the same ones for every arm on the same data.
    private static ArmStage Stage(string name, params IEnumerable<(string Key, object? Value)> options) =>
        new(name, options.Append(("overlong", "drop")).ToDictionary(o => o.Key, o => o.Value, StringComparer.Ordinal));

    private static string Named(string what, double value) => string.Create(CultureInfo.InvariantCulture, $"{what}-{value:0.###}");
}
