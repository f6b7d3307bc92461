using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.Core.Data;
using Attune.Core.Rewards;

namespace Attune.Torch.Stages;

/// <summary>Labelled answers of a policy → preference pairs, as a file that every stage reads.</summary>
internal static class OnPolicyPairs
{
    private static readonly JsonSerializerOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A JSON line for each two answers to one prompt that the truth tells apart, the better one chosen; with how much better as margin.</summary>
    /// <param name="answers">The answers.</param>
    /// <param name="prompts">Index of the prompt of each.</param>
    /// <param name="truth">What each is worth.</param>
    public static IEnumerable<string> Lines(IReadOnlyList<RewardedAnswer> answers, IReadOnlyList<int> prompts, IReadOnlyList<double> truth)
    {
        foreach (var group in Enumerable.Range(0, answers.Count).GroupBy(i => prompts[i]))
        {
            // Better ones first; equal texts and empty ones make no pair.
            int[] order = [.. group.Where(i => !string.IsNullOrWhiteSpace(answers[i].Text)).OrderByDescending(i => truth[i])];
            for (var a = 0; a < order.Length; a++)
            {
                for (var b = a + 1; b < order.Length; b++)
                {
                    if (truth[order[a]] > truth[order[b]] && answers[order[a]].Text != answers[order[b]].Text)
                        yield return Line(answers[order[a]], answers[order[b]], truth[order[a]] - truth[order[b]]);
                }
            }
        }
    }

    private static string Line(RewardedAnswer better, RewardedAnswer worse, double margin) => new JsonObject
    {
        ["prompt"] = new JsonArray([.. better.Prompt.Prompt.Messages.Select(m => (JsonNode)new JsonObject { ["role"] = m.Role, ["content"] = m.Content })]),
        ["chosen"] = better.Text,
        ["rejected"] = worse.Text,
        ["margin"] = margin,
    }.ToJsonString(Plain);
}
