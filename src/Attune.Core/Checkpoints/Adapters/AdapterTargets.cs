using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Attune.Core.Checkpoints.Adapters;

/// <summary>Names of modules as adapter_config.json gives them: a list of endings, or one regular expression.</summary>
/// <param name="Names">Endings; empty where there is none.</param>
/// <param name="Expression">The expression, or null.</param>
public sealed record ModuleNames(IReadOnlyList<string> Names, string? Expression = null)
{
    /// <summary>None.</summary>
    public static ModuleNames None { get; } = new([]);

    /// <summary>The list, the expression or null, as JSON.</summary>
    public JsonNode? ToJson() => Expression is not null ? Expression : Names.Count == 0 ? null : new JsonArray([.. Names.Select(n => (JsonNode)n)]);

    /// <summary>Whether a full name ends in one of the names (at a dot), or is the expression as a whole.</summary>
    public bool Fits(string module) => Expression is not null
        ? AdapterTargets.IsMatch($"^(?:{Expression})$", module)
        : Names.Any(name => module == name || module.EndsWith("." + name, StringComparison.Ordinal));
}

/// <summary>Which modules of a model an adapter is on, by PEFT's rules (peft.tuners.tuners_utils, 0.21).</summary>
public sealed record AdapterTargets
{
    /// <summary>Every linear layer but the head.</summary>
    public const string AllLinear = "all-linear";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>target_modules.</summary>
    public required ModuleNames Modules { get; init; }

    /// <summary>exclude_modules.</summary>
    public ModuleNames Excluded { get; init; } = ModuleNames.None;

    /// <summary>modules_to_save: trained and stored whole.</summary>
    public IReadOnlyList<string> Saved { get; init; } = [];

    /// <summary>layers_to_transform; null: all.</summary>
    public IReadOnlyList<int>? Layers { get; init; }

    /// <summary>layers_pattern: the name before a layer's number; empty: any.</summary>
    public IReadOnlyList<string> LayersPatterns { get; init; } = [];

    /// <summary>Whether a module is stored whole.</summary>
    public bool IsSaved(string module) => Saved.Any(name => module == name || module.EndsWith("." + name, StringComparison.Ordinal));

    /// <summary>Whether a module has a low-rank adapter.</summary>
    /// <param name="module">Its full name, <c>model.layers.0.self_attn.q_proj</c>.</param>
    /// <param name="isHidden">Whether it is a linear layer other than the head: what <see cref="AllLinear"/> means.</param>
    public bool IsTarget(string module, bool isHidden)
    {
        if (Excluded.Fits(module) || IsSaved(module))
            return false;
        if (Modules is { Expression: AllLinear } or { Names: [AllLinear] })
            return isHidden;
        return Modules.Fits(module) && (Modules.Expression is not null || Layers is null || LayerOf(module) is { } layer && Layers.Contains(layer));
    }

    /// <summary>The value of the first pattern that fits the end of a module's name, or null.</summary>
    public static double? FirstFit(IEnumerable<KeyValuePair<string, double>> patterns, string module)
    {
        foreach (var (pattern, value) in patterns)
        {
            if (IsMatch($@"^(?:.*\.)?(?:{pattern})$", module))
                return value;
        }
        return null;
    }

    internal static bool IsMatch(string expression, string text) => Regex.IsMatch(text, expression, RegexOptions.CultureInvariant, Patience);

    /// <summary>Refuses what is no regular expression.</summary>
    internal void Check(string path, IEnumerable<string> patterns)
    {
        foreach (var (field, expression) in patterns.Select(p => ("rank_pattern", p)).Append(("target_modules", Modules.Expression ?? "")).Append(("exclude_modules", Excluded.Expression ?? "")))
        {
            try
            {
                _ = IsMatch(expression, "model.layers.0.self_attn.q_proj");
            }
            catch (ArgumentException e)
            {
                throw new CheckpointException("ATT2021", $"'{expression}' is not a regular expression: {e.Message}", e) { File = path, Field = field };
            }
            catch (RegexMatchTimeoutException e)
            {
                throw new CheckpointException("ATT2021", $"The expression '{expression}' takes too long.", e) { File = path, Field = field };
            }
        }
    }

    private int? LayerOf(string module)
    {
        IReadOnlyList<string> patterns = LayersPatterns.Count == 0 ? [@"[^.]*"] : LayersPatterns;
        foreach (var pattern in patterns)
        {
            if (Regex.Match(module, $@"^.*\.{pattern}\.(\d+)\.", RegexOptions.CultureInvariant, Patience) is { Success: true } found)
                return int.Parse(found.Groups[^1].ValueSpan, CultureInfo.InvariantCulture);
        }
        return null;
    }
}
