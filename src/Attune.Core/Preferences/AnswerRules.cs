using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Attune.Core.Preferences;

/// <summary>One rule: whether an answer keeps it.</summary>
/// <param name="Name">As it was written: <c>json:city,year</c>.</param>
/// <param name="Holds">Whether an answer keeps it, given the right answer (null where there is none).</param>
public sealed record AnswerRule(string Name, Func<string, string?, bool> Holds);

/// <summary>
/// Rules that need no judge: the answer is right, has the asked form, is short enough. An answer's score is the number of
/// rules that it keeps, so answers that keep the same number are ties.
/// </summary>
public sealed partial class AnswerRules(IReadOnlyList<AnswerRule> rules) : IAnswerRanker
{
    internal const string Known = "exact, contains, number, regex:PATTERN, not:PATTERN, json or json:KEY,KEY, words:MOST";

    /// <inheritdoc/>
    public string By => "rules";

    /// <inheritdoc/>
    public string Name => "rules";

    /// <summary>Reads rules as they are written on the command line.</summary>
    /// <exception cref="PreferenceException">ATT2413: there is no such rule, or its pattern or number cannot be read.</exception>
    public static AnswerRules Parse(IReadOnlyList<string> rules) => rules.Count > 0
        ? new([.. rules.Select(Parse)])
        : throw PreferenceException.BadRule("rule", "No rule is given.");

    /// <summary>Reads one rule.</summary>
    public static AnswerRule Parse(string text)
    {
        var (name, argument) = text.IndexOf(':', StringComparison.Ordinal) is >= 0 and var colon ? (text[..colon], text[(colon + 1)..]) : (text, "");
        Func<string, string?, bool> holds = name switch
        {
            "exact" => (answer, right) => string.Equals(answer.Trim(), Reference(text, right).Trim(), StringComparison.Ordinal),
            "contains" => (answer, right) => answer.Contains(Reference(text, right).Trim(), StringComparison.OrdinalIgnoreCase),
            "number" => (answer, right) => LastNumber(answer) is { } said && said == LastNumber(Reference(text, right)),
            "regex" => Matches(text, argument, wanted: true),
            "not" => Matches(text, argument, wanted: false),
            "json" => HasKeys(argument.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)),
            "words" => AtMost(text, argument),
            _ => throw PreferenceException.BadRule(text, $"There is no rule '{name}'."),
        };
        return new AnswerRule(text, holds);
    }

    /// <summary>How many rules an answer keeps.</summary>
    public double Score(string answer, string? reference) => rules.Count(r => r.Holds(answer, reference));

    /// <inheritdoc/>
    public Task<RankedAnswers> RankAsync(RankTask task, CancellationToken cancel = default)
    {
        var outcomes = new JsonObject(rules.Select(r => KeyValuePair.Create(r.Name, (JsonNode?)new JsonArray([.. task.Answers.Select(a => (JsonNode)r.Holds(a.Text, task.Reference))]))));
        return Task.FromResult(new RankedAnswers([.. task.Answers.Select(a => Score(a.Text, task.Reference))], outcomes));
    }

    /// <summary>The last number of a text, thousands' commas aside: where a worked answer says its result.</summary>
    public static decimal? LastNumber(string text)
    {
        var matches = Number().Matches(text);
        return matches.Count > 0 && decimal.TryParse(matches[^1].Value.Replace(",", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : null;
    }

    private static string Reference(string rule, string? right) => string.IsNullOrWhiteSpace(right) ? throw PreferenceException.NoReference(rule) : right;

    private static Func<string, string?, bool> Matches(string rule, string pattern, bool wanted)
    {
        try
        {
            var regex = new Regex(pattern, RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
            return pattern.Length > 0 ? (answer, _) => regex.IsMatch(answer.Trim()) == wanted : throw PreferenceException.BadRule(rule, "The rule has no pattern.");
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            throw PreferenceException.BadRule(rule, $"The pattern cannot be used: {e.Message}");
        }
    }

    // The whole answer is a JSON object with at least these keys.
    private static Func<string, string?, bool> HasKeys(string[] keys) => (answer, _) =>
    {
        try
        {
            return JsonNode.Parse(answer.Trim()) is JsonObject json && keys.All(json.ContainsKey);
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            return false;
        }
    };

    private static Func<string, string?, bool> AtMost(string rule, string most) => int.TryParse(most, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
        ? (answer, _) => answer.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length <= limit
        : throw PreferenceException.BadRule(rule, "The rule needs a whole number of words.");

    [GeneratedRegex(@"-?\d[\d,]*(?:\.\d+)?", RegexOptions.CultureInvariant)]
    private static partial Regex Number();
}
