using System.Security.Cryptography;
using System.Text;
using Attune.App.Recipes;
using Attune.Core.Checkpoints;
using Attune.Core.Options;
using Attune.Core.Versions;
using Attune.Prompts;
using Attune.Torch.Stages;

namespace Attune.App.Alignment;

/// <summary>The stage that was decided on, with its options.</summary>
/// <param name="Stage">dpo, kto, orpo, grpo, sft…</param>
/// <param name="Rule">The row of the table that decided.</param>
/// <param name="Options">Its options.</param>
internal sealed record AlignSettings(string Stage, string Rule, IReadOnlyDictionary<string, object?> Options)
{
    private const double ParametersOfDefaults = 7e9, UsualKlBound = 10;

    /// <summary>Why what holds it to its start has the value that it has.</summary>
    public PullChoice Pull { get; init; } = PullChoice.Usual;

    /// <summary>Whether the stage draws and scores answers itself: it is given prompts.</summary>
    public bool Reinforces => IsReinforcement(Stage);

    /// <summary>Whether a stage draws and scores answers itself.</summary>
    public static bool IsReinforcement(string stage) => stage is "ppo" or "grpo" or "rloo";

    /// <summary>Of a stage that goes before: its usual options, for what the user gives is for the stage that decides.</summary>
    public static AlignSettings First(AlignRule rule, AlignOptions options, ModelVersion start, int window) => new(rule.Stage, rule.Name, Usual(rule.Stage, options, start, window, new Dictionary<string, object?>()));

    /// <summary>Of the rule that decides, with all that the user gives standing over it.</summary>
    /// <exception cref="AttuneException">ATT4812: beta without a reference, or an option without a value; ATT2001 and following: the stage has no such option.</exception>
    public static AlignSettings Of(AlignDecision decision, AlignOptions options, ModelVersion start, int window)
    {
        var rule = decision.Rule;
        var stage = options.Method ?? rule.Stage;
        // What a rule sets is of its own stage: another one has other options.
        var chosen = Usual(stage, options, start, window, stage == rule.Stage ? rule.Options(decision.Evidence) : new Dictionary<string, object?>());
        if (options.LearningRate is { } rate)
            chosen["learning_rate"] = rate;
        if (IsReinforcement(stage))
        {
            chosen["rules"] = options.Rule;
            chosen["reward_model"] = options.Reward;
            chosen["max_new_tokens"] = options.MaxTokens;
        }
        var pull = ReferencePull.Of(stage);
        if (pull is not null)
            chosen[pull.Option] = options.Beta ?? pull.Usual;
        else if (options.Beta is not null)
            throw new AttuneException("ATT4812", $"{stage} has no reference that beta could hold it to.") { Field = "beta", Hint = "Leave --beta out, or choose another --method." };
        foreach (var given in options.Set)
        {
            if (given.IndexOf('=', StringComparison.Ordinal) is not (> 0 and var at))
                throw new AttuneException("ATT4812", $"'{given}' is no option with a value.") { Field = "set", Hint = "As in --set loss=ipo." };
            chosen[given[..at]] = given[(at + 1)..];
        }
        _ = RecipeRunner.BindTraining(stage, OptionLayer.FromValues(chosen, "the decision"), OptionLayer.FromValues(new Dictionary<string, object?>(), "none"));
        var settings = new AlignSettings(stage, rule.Name, chosen);
        return options.Beta is not null ? settings with { Pull = PullChoice.GivenBy("beta") }
            : pull is not null && options.Set.Any(s => s.StartsWith(pull.Option + "=", StringComparison.Ordinal)) ? settings with { Pull = PullChoice.GivenBy("set") }
            : settings;
    }

    /// <summary>
    /// KL to the start, nats an answer, that a round may not pass. A stage that learns answers themselves (SFT, ORPO, pretraining)
    /// holds on to nothing, and moves far where a Base learns to answer: it is bound only where the user says so.
    /// </summary>
    public double KlBound(AlignOptions options) => options.KlBound ?? (Stage is "sft" or "orpo" or "pretrain" ? double.PositiveInfinity : UsualKlBound);

    /// <summary>The same with one option changed.</summary>
    public AlignSettings With(string key, object? value) => this with { Options = new Dictionary<string, object?>(Options, StringComparer.Ordinal) { [key] = value } };

    /// <summary>By how much smaller the steps of a gentler try are; it may go over the data that many times.</summary>
    public const int GentlerBy = 3;

    /// <summary>
    /// The same for a version that forgot its tasks, and what was changed: a third of the learning rate, and no loss of the
    /// chosen answers' own, which draws every answer to their form. Null where the user has said the rate.
    /// </summary>
    public (AlignSettings Settings, string Changed)? Gentler(AlignOptions options)
    {
        bool Given(string option) => options.Set.Any(s => s.StartsWith(option + "=", StringComparison.Ordinal));
        if (options.LearningRate is not null || Given("learning_rate"))
            return null;
        var (rate, less) = ((double)Options["learning_rate"]!, Math.Round((double)Options["learning_rate"]! / GentlerBy, 9));
        var (gentler, changed) = (With("learning_rate", less), $"learning_rate {OptionText.Of(less)} instead of {OptionText.Of(rate)}");
        return Options.ContainsKey("sft_weight") && !Given("sft_weight") ? (gentler.With("sft_weight", 0.0), changed + ", sft_weight 0") : (gentler, changed);
    }

    /// <summary>The same with what holds it to its start at a value, and why.</summary>
    public AlignSettings Pulled(ReferencePull pull, double value, PullChoice choice) => With(pull.Option, value) with { Pull = choice };

    /// <summary>Options of the stage for a file, over a share of an epoch.</summary>
    public TrainingOptions Bind(string file, double share) => RecipeRunner.BindTraining(Stage, OptionLayer.FromValues(Options, "the decision"),
        OptionLayer.FromValues(new Dictionary<string, object?> { ["data"] = file, ["epochs"] = share }, "the plan"));

    /// <summary>Names a run folder by all that decides its result: the data too, for a folder may be used for other data later.</summary>
    public string Key(string parent, string file) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        $"{Stage}\n{parent}\n{Digests.Sha256Of(file)}\n{string.Join('\n', Options.OrderBy(o => o.Key, StringComparer.Ordinal).Select(o => $"{o.Key}={OptionText.Of(o.Value)}"))}")))[..12];

    private static Dictionary<string, object?> Usual(string stage, AlignOptions options, ModelVersion start, int window, IReadOnlyDictionary<string, object?> ofRule)
    {
        var parameters = (double)HuggingFaceConfig.Read(start.Files.Require(ModelFiles.Config)).Parameters;
        // Published defaults are for models of billions: smaller ones bear, and need, more. The root of the sizes' ratio meets
        // what was tuned here on models of a million (3e-5 to 1e-4 for DPO) from 1e-6 at 7e9.
        var scale = Math.Sqrt(ParametersOfDefaults / parameters);
        var rate = stage switch { "sft" => 2e-5, "pretrain" => 1e-5, "orpo" => 8e-6, _ => 1e-6 } * scale;
        var chosen = new Dictionary<string, object?>(ofRule, StringComparer.Ordinal)
        {
            ["learning_rate"] = Math.Round(rate, 7),
            ["sequence_length"] = window,
            ["seed"] = options.Seed,
        };
        if (stage != "pretrain")
            chosen["overlong"] = "drop";
        return chosen;
    }
}
