using System.Text.Json.Nodes;
using Attune.Core.Data;
using Attune.Core.Preferences;
using Attune.Prompts;
using Attune.Testing;
using Xunit;

namespace Attune.Core.Tests.Preferences;

/// <summary>Published solutions with a label each: the rule about the last number says what people said, nearly always.</summary>
public class RuleRankerVectors
{
    [Fact]
    public void The_number_rule_agrees_with_published_labels()
    {
        if (SharedData.MaySkip)
            Assert.Skip("no reference data");
        var (agreed, all, rule) = (0, 0, RuleRanker.Parse(["number"]));
        foreach (var line in SharedData.Files("*.jsonl", "data", "eval").SelectMany(File.ReadLines))
        {
            var row = JsonNode.Parse(line)!.AsObject();
            if ((string?)row["ground_truth"] is not { } truth)
                continue;
            foreach (var (solution, correct) in row.Select(p => p.Value).OfType<JsonObject>().Where(s => s.ContainsKey("is_correct")).Select(s => ((string)s["solution"]!, (bool)s["is_correct"]!)))
            {
                all++;
                agreed += rule.Score(new PromptRow(new Conversation([new("user", "q")]), truth, new RowOrigin("f", 1)), solution) == (correct ? 1 : 0) ? 1 : 0;
            }
        }
        Assert.True(all > 100, FormattableString.Invariant($"only {all} labelled solutions found"));
        Assert.True(agreed >= 0.99 * all, FormattableString.Invariant($"{agreed} of {all} labels agree"));
    }
}
