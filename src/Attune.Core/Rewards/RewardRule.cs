using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Attune.Core.Data;

namespace Attune.Core.Rewards;

/// <summary>
/// One rule that a machine can check, worth its weight where an answer keeps it and nothing where it does not. Written
/// <c>exact</c>, <c>contains</c>, <c>number</c> (these three compare with the row's answer), <c>regex:PATTERN</c>,
/// <c>not:PATTERN</c>, <c>json</c>, <c>json:KEY,KEY</c> (an object with these keys), <c>words:N</c> (at most N) or <c>ended</c>, with a weight before it where wanted: <c>0.2*json</c>.
/// </summary>
public sealed partial class RewardRule
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private readonly Func<RewardedAnswer, bool> _keeps;

    private RewardRule(string text, double weight, bool needsAnswer, Func<RewardedAnswer, bool> keeps) => (Text, Weight, NeedsAnswer, _keeps) = (text, weight, needsAnswer, keeps);

    /// <summary>How rules are written.</summary>
    public static IReadOnlyList<string> Forms { get; } = ["exact", "contains", "number", "regex:PATTERN", "not:PATTERN", "json", "json:KEY,KEY", "words:N", "ended"];

    /// <summary>As it was written.</summary>
    public string Text { get; }

    /// <summary>What keeping it is worth.</summary>
    public double Weight { get; }

    /// <summary>Whether it compares with the answer of the row.</summary>
    public bool NeedsAnswer { get; }

    /// <summary>Reads a rule.</summary>
    /// <exception cref="RewardException">ATT5204: it is none.</exception>
    public static RewardRule Parse(string text)
    {
        var (weight, rule) = (1.0, text.Trim());
        if (rule.IndexOf('*', StringComparison.Ordinal) is > 0 and var star && double.TryParse(rule.AsSpan(0, star), NumberStyles.Float, CultureInfo.InvariantCulture, out var given))
            (weight, rule) = (given, rule[(star + 1)..]);
        if (!double.IsFinite(weight))
            throw RewardException.BadRule(text, "its weight is not a finite number.");
        var (name, argument) = rule.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon ? (rule[..colon], rule[(colon + 1)..]) : (rule, null);
        return (name, argument) switch
        {
            ("exact", null) => new(text, weight, true, a => Normal(a.Text) == Normal(a.Prompt.Answer!)),
            ("contains", null) => new(text, weight, true, a => Normal(a.Text).Contains(Normal(a.Prompt.Answer!), StringComparison.Ordinal)),
            ("number", null) => new(text, weight, true, a => LastNumber(a.Text) is { } said && LastNumber(a.Prompt.Answer!) == said),
            ("json", null) => new(text, weight, false, a => IsJson(a.Text, [])),
            ("json", { Length: > 0 } keys) => new(text, weight, false, a => IsJson(a.Text, keys.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))),
            ("ended", null) => new(text, weight, false, a => a.Ended),
            ("words", { } count) when int.TryParse(count, CultureInfo.InvariantCulture, out var most) && most > 0 => new(text, weight, false, a => Words().Count(a.Text) <= most),
            ("regex", { Length: > 0 } pattern) => OfPattern(text, weight, pattern, wanted: true),
            ("not", { Length: > 0 } pattern) => OfPattern(text, weight, pattern, wanted: false),
            _ => throw RewardException.BadRule(text, "there is no such rule."),
        };
    }

    /// <summary>The weight, or 0.</summary>
    public double Score(RewardedAnswer answer) => _keeps(answer) ? Weight : 0;

    private static RewardRule OfPattern(string text, double weight, string pattern, bool wanted)
    {
        try
        {
            // Answers are what a model made up: a pattern must not be able to hang on one.
            var regex = new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant, Patience);
            return new(text, weight, false, a => regex.IsMatch(a.Text) == wanted);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw RewardException.BadRule(text, e.Message, e);
        }
    }

    // Letters' case, spaces and the full stop at the end do not make an answer another one.
    private static string Normal(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).Trim().TrimEnd('.', '。', '!', '！').ToLowerInvariant();

    private static decimal? LastNumber(string text) =>
        Numbers().Matches(text) is { Count: > 0 } found && decimal.TryParse(found[^1].Value.Replace(",", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null;

    private static bool IsJson(string text, string[] keys)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            var root = document.RootElement;
            return keys.Length == 0 ? root.ValueKind is JsonValueKind.Object or JsonValueKind.Array : root.ValueKind == JsonValueKind.Object && keys.All(key => root.TryGetProperty(key, out _));
        }
        catch (JsonException)
        {
            return false;
        }
    }

    [GeneratedRegex(@"-?\d[\d,]*(\.\d+)?", RegexOptions.CultureInvariant)]
    private static partial Regex Numbers();

    [GeneratedRegex(@"\S+", RegexOptions.CultureInvariant)]
    private static partial Regex Words();
}

/// <summary>The sum of rules.</summary>
/// <param name="rules">They.</param>
public sealed class RuleReward(IReadOnlyList<RewardRule> rules) : IReward
{
    /// <summary>Reads rules and refuses those that compare with answers which the prompts have not.</summary>
    /// <exception cref="RewardException">ATT5204: a rule is none; ATT5205: a prompt has no answer to compare with.</exception>
    public static RuleReward Of(IReadOnlyList<string> rules, IEnumerable<PromptRow> prompts)
    {
        RewardRule[] parsed = [.. rules.Select(RewardRule.Parse)];
        if (parsed.FirstOrDefault(r => r.NeedsAnswer) is { } rule && prompts.FirstOrDefault(p => p.Answer is null) is { } without)
        {
            throw new RewardException("ATT5205", $"The rule '{rule.Text}' compares with the right answer, and the prompt has none.")
            {
                File = without.Origin.File,
                Line = without.Origin.Line,
                Field = "answer",
                Hint = "Give the rows an 'answer', or take a rule that needs none.",
            };
        }
        return new RuleReward(parsed);
    }

    /// <inheritdoc/>
    public IReadOnlyList<double> Score(IReadOnlyList<RewardedAnswer> answers) => [.. answers.Select(a => rules.Sum(r => r.Score(a)))];
}
