using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Data;

namespace Attune.Torch.Stages;

/// <summary>What lineage tells people of a run: only what an equal run would tell too.</summary>
internal static class LineageFacts
{
    public static JsonObject Of(DecoderConfig config, RunState state, PreflightReport report) => new()
    {
        ["parameters"] = config.Parameters,
        ["steps"] = state.Step,
        ["tokens"] = state.Tokens,
        ["label_tokens"] = state.TargetTokens,
        ["loss"] = state.Loss,
        ["validation_loss"] = state.Validation,
        ["best_step"] = state.Best is null ? null : state.BestStep,
        ["rows"] = report.Rows,
        ["rows_left_out"] = Reasons(report.Tally.Dropped.Concat(report.Tally.Masked)),
        ["rows_truncated"] = Reasons(report.Tally.Truncated),
        ["data_shares"] = new JsonArray([.. report.Kinds.Select(k => (JsonNode)new JsonObject
        {
            ["kind"] = k.Kind,
            ["rows"] = k.Rows,
            ["tokens"] = k.Tokens,
            ["label_tokens"] = k.TrainedTokens,
        })]),
    };

    private static JsonObject Reasons(IEnumerable<KeyValuePair<string, int>> counts) =>
        new(counts.GroupBy(c => c.Key, c => c.Value, StringComparer.Ordinal).Select(g => KeyValuePair.Create(g.Key, (JsonNode?)g.Sum())));
}
