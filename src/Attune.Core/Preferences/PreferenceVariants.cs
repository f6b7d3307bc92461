using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Randomness;
using Attune.Prompts;

namespace Attune.Core.Preferences;

/// <summary>
/// The same preferences in other forms and other qualities, so that methods can be compared on equal data: chosen answers
/// alone, pairs exchanged, rankings as pairs with and without their margins, instructions made worse. Equal seeds give equal rows.
/// </summary>
public static class PreferenceVariants
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The chosen answers as conversations, each once.</summary>
    public static IEnumerable<JsonObject> Chosen(IEnumerable<PreferenceRow> pairs) =>
        pairs.Select(p => PreferenceForms.With(p.Prompt, p.Chosen)).DistinctBy(PreferenceForms.Key, StringComparer.Ordinal).Select(Talk);

    /// <summary>
    /// Pairs with a share of them exchanged: noise as labels have it. What is exchanged at a smaller share is so at every
    /// larger one, so that curves over the share differ by the added noise alone.
    /// </summary>
    public static IEnumerable<PreferenceRow> Flipped(IEnumerable<PreferenceRow> pairs, double share, long seed)
    {
        var random = RandomStream.Of(seed, "preferences", "flip");
        foreach (var pair in pairs)
            yield return random.Chance(share) ? pair with { Chosen = pair.Rejected, Rejected = pair.Chosen } : pair;
    }

    /// <summary>Rankings as pairs, with their margins or as bare choices.</summary>
    public static IEnumerable<PreferenceRow> Pairs(IEnumerable<RankingRow> rankings, bool margins) =>
        rankings.SelectMany(PreferenceForms.Pairs).Select(p => margins ? p : p with { Margin = null });

    /// <summary>Pairs whose margins have a mean of one: scores come on any scale, and a loss with margins must know theirs. Pairs without a margin stay so.</summary>
    public static IReadOnlyList<PreferenceRow> UnitMargins(IReadOnlyList<PreferenceRow> pairs)
    {
        var mean = pairs.Select(p => p.Margin ?? 0).Where(m => m > 0).DefaultIfEmpty(1).Average();
        return [.. pairs.Select(p => p with { Margin = p.Margin / mean })];
    }

    /// <summary>Instructions in which a share of the answers is another row's of the same kind: fluent, and wrong.</summary>
    public static IEnumerable<ConversationRow> Noisy(IReadOnlyList<ConversationRow> rows, double share, long seed) =>
        Exchanged(rows, share, seed).Select(r => r.Row);

    /// <summary>
    /// The noisy set after a reviewer: most of the wrong answers are found and left out, and a few of the right ones with
    /// them. The reviewer is simulated; its two rates are given.
    /// </summary>
    /// <param name="rows">The clean rows.</param>
    /// <param name="share">Noise, as in <see cref="Noisy"/>.</param>
    /// <param name="found">Share of the wrong answers that are left out.</param>
    /// <param name="lost">Share of the right ones that are left out by mistake.</param>
    /// <param name="seed">The seed.</param>
    public static IEnumerable<ConversationRow> Filtered(IReadOnlyList<ConversationRow> rows, double share, double found, double lost, long seed)
    {
        var random = RandomStream.Of(seed, "preferences", "review");
        foreach (var (row, wrong) in Exchanged(rows, share, seed))
        {
            if (!random.Chance(wrong ? found : lost))
                yield return row;
        }
    }

    /// <summary>As many rows as there are, but of a part of them only, each repeated.</summary>
    public static IEnumerable<ConversationRow> Duplicated(IReadOnlyList<ConversationRow> rows, int times) =>
        Enumerable.Range(0, rows.Count).Select(i => rows[i % Math.Max(1, rows.Count / times)]);

    /// <summary>Writes pairs as JSONL.</summary>
    public static void Write(string path, IEnumerable<PreferenceRow> pairs) => Write(path, pairs.Select(Row));

    /// <summary>A pair as a row of prompt, chosen and rejected.</summary>
    public static JsonObject Row(PreferenceRow pair)
    {
        var json = new JsonObject { ["prompt"] = List(pair.Prompt.Messages), ["chosen"] = List(pair.Chosen), ["rejected"] = List(pair.Rejected) };
        if (pair.Margin is { } margin)
            json["margin"] = margin;
        return Named(json, pair.Origin);
    }

    /// <summary>Writes conversations as JSONL.</summary>
    public static void Write(string path, IEnumerable<ConversationRow> rows) => Write(path, rows.Select(r => Named(Talk(r.Conversation), r.Origin)));

    /// <summary>Writes rows as JSONL, all of them or none.</summary>
    public static void Write(string path, IEnumerable<JsonObject> rows) =>
        Atomic.WriteAllText(path, string.Concat(rows.Select(r => r.ToJsonString(Readable) + "\n")));

    private static IEnumerable<(ConversationRow Row, bool Wrong)> Exchanged(IReadOnlyList<ConversationRow> rows, double share, long seed)
    {
        var random = RandomStream.Of(seed, "preferences", "noise");
        var byKind = rows.GroupBy(r => r.Origin.Kind ?? "", StringComparer.Ordinal).ToDictionary(g => g.Key, g => g.ToArray(), StringComparer.Ordinal);
        foreach (var row in rows)
        {
            var (wrong, other) = (random.Chance(share), random.Pick(byKind[row.Origin.Kind ?? ""]));
            var messages = row.Conversation.Messages;
            // Many answers are equal (NO-RES): only one that differs makes a row wrong.
            yield return wrong && other.Conversation.Messages[^1].Content != messages[^1].Content
                ? (row with { Conversation = row.Conversation with { Messages = [.. messages.SkipLast(1), other.Conversation.Messages[^1]] } }, true)
                : (row, false);
        }
    }

    /// <summary>A conversation as a row of messages.</summary>
    public static JsonObject Talk(Conversation conversation) => new() { ["messages"] = List(conversation.Messages) };

    private static JsonObject Named(JsonObject row, RowOrigin origin)
    {
        if (origin.Kind is { } kind)
            row["kind"] = kind;
        return row;
    }

    private static JsonArray List(IEnumerable<Message> messages) => new([.. messages.Select(m =>
    {
        var json = m.Fields?.DeepClone().AsObject() ?? [];
        json["role"] = m.Role;
        json["content"] = m.Content;
        return (JsonNode)json;
    })]);
}
