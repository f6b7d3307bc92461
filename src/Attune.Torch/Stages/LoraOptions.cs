using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Attune.Core.Checkpoints.Adapters;
using Attune.Torch.Optimisers;

namespace Attune.Torch.Stages;

/// <summary>LoRA and its relatives, for every stage that starts from a model.</summary>
public sealed record LoraOptions
{
    /// <summary>r; 0 trains every weight.</summary>
    [Description("Rank of LoRA; 0 trains every weight."), Range(0, 4096)]
    public int Rank { get; init; }

    /// <summary>α.</summary>
    [Description("LoRA's alpha; the adapter is scaled by alpha / rank."), Range(0, 1e6)]
    public double Alpha { get; init; } = 16;

    /// <summary>Modules with an adapter.</summary>
    [Description("Modules that get an adapter, by the end of their names; all-linear is every linear layer but the head.")]
    public IReadOnlyList<string> Targets { get; init; } = [AdapterTargets.AllLinear];

    /// <summary>The same as one expression.</summary>
    [Description("Modules that get an adapter, as one regular expression over their whole names; instead of targets.")]
    public string? TargetExpression { get; init; }

    /// <summary>Modules that are trained whole.</summary>
    [Description("Modules that are trained and stored whole, such as embed_tokens and lm_head where tokens are new.")]
    public IReadOnlyList<string> ModulesToSave { get; init; } = [];

    /// <summary>Ranks of their own.</summary>
    [Description("Ranks of their own, PATTERN=RANK, as q_proj=4; the first that fits the end of a name decides.")]
    public IReadOnlyList<string> RankPattern { get; init; } = [];

    /// <summary>Alphas of their own.</summary>
    [Description("Alphas of their own, PATTERN=ALPHA.")]
    public IReadOnlyList<string> AlphaPattern { get; init; } = [];

    /// <summary>rsLoRA.</summary>
    [Description("Scale by alpha / sqrt(rank) instead (rsLoRA): high ranks learn as they should.")]
    public bool RankStabilised { get; init; }

    /// <summary>DoRA.</summary>
    [Description("Train a magnitude for each row beside the low-rank direction (DoRA).")]
    public bool Dora { get; init; }

    /// <summary>Dropout on what goes into the adapters.</summary>
    [Description("Share of what goes into the adapters that is dropped in SFT."), Range(0, 1, MaximumIsExclusive = true)]
    public double Dropout { get; init; }

    /// <summary>What PEFT would write of it.</summary>
    /// <param name="baseModel">What the adapter belongs to, or null.</param>
    /// <param name="tied">Whether the model's embedding is its head.</param>
    /// <exception cref="TrainingException">ATT5133: a pattern is not PATTERN=NUMBER.</exception>
    public AdapterConfig ToConfig(string? baseModel, bool tied) => new()
    {
        Rank = Rank,
        Alpha = Alpha,
        Dropout = Dropout,
        Targets = new AdapterTargets { Modules = new ModuleNames(TargetExpression is null ? Targets : [], TargetExpression), Saved = ModulesToSave },
        RankPattern = Pattern(RankPattern, "lora.rank_pattern", whole: true),
        AlphaPattern = Pattern(AlphaPattern, "lora.alpha_pattern", whole: false),
        RankStabilised = RankStabilised,
        Dora = Dora,
        BaseModel = baseModel,
        TiedToo = tied,
    };

    // In the order of adapter_config.json, whose keys PEFT sorts: where two patterns fit a name, the same one decides later.
    private static List<KeyValuePair<string, double>> Pattern(IEnumerable<string> texts, string field, bool whole) => [.. texts.Select(text =>
        text.LastIndexOf('=') is > 0 and var at && double.TryParse(text.AsSpan(at + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number > 0 && (!whole || number == Math.Floor(number))
            ? KeyValuePair.Create(text[..at], number)
            : throw new TrainingException("ATT5133", $"'{text}' is not PATTERN={(whole ? "RANK" : "ALPHA")}.") { Field = field, Hint = "Write the end of a module's name, an equals sign and a number: q_proj=4." }).OrderBy(p => p.Key, StringComparer.Ordinal)];
}
