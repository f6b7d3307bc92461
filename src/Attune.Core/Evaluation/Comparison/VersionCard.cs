namespace Attune.Core.Evaluation.Comparison;

/// <summary>A share of a stage's data.</summary>
/// <param name="Kind">The rows' own kind.</param>
/// <param name="Share">Of the tokens in the loss, 0 to 1.</param>
public sealed record DataShare(string Kind, double Share);

/// <summary>A stage of a version's making, as lineage (what) and the run's report (cost) tell it.</summary>
public sealed record StageCard
{
    /// <summary>pretrain, sft, dpo.</summary>
    public required string Stage { get; init; }

    /// <summary>Updates.</summary>
    public long Steps { get; init; }

    /// <summary>Real tokens read.</summary>
    public long Tokens { get; init; }

    /// <summary>Seconds in the loop, or null where no run report is attached.</summary>
    public double? Seconds { get; init; }

    /// <summary>Largest resident memory, bytes, or null.</summary>
    public long? PeakMemoryBytes { get; init; }

    /// <summary>Share of the matmul ceiling, or null.</summary>
    public double? ShareOfCeiling { get; init; }

    /// <summary>What it was trained on.</summary>
    public IReadOnlyList<DataShare> Data { get; init; } = [];
}

/// <summary>What a version is, for the head of the table: its own stage, and the stages since the version before it in the comparison.</summary>
public sealed record VersionCard
{
    /// <summary>What it is called.</summary>
    public required string Name { get; init; }

    /// <summary>Base, Instruct or Chat.</summary>
    public required string Kind { get; init; }

    /// <summary>Its digest, or null for a plain folder.</summary>
    public string? Digest { get; init; }

    /// <summary>The stages that lead from the compared version before it (or from nothing) to this one, oldest first.</summary>
    public required IReadOnlyList<StageCard> Stages { get; init; }

    /// <summary>The prompt contract that it was asked by, name and hash: a figure under another one is another figure. Empty for plain text.</summary>
    public string Prompt { get; init; } = "";

    /// <summary>What it was last trained to do, in words.</summary>
    public string Objective => Stages.Count == 0 ? "" : string.Join(", then ", Stages.Select(s => s.Stage switch
    {
        "pretrain" => "next token of plain text",
        "sft" when Kind == "Chat" => "dialogue, cross-entropy",
        "sft" => "instructions, cross-entropy",
        "dpo" => "preference of answers, DPO",
        var other => other,
    }).Distinct());

    /// <summary><see cref="Objective"/> in Chinese.</summary>
    public string ObjectiveZh => string.Join("，然后", Stages.Select(s => s.Stage switch
    {
        "pretrain" => "预测普通文本的下一个词元",
        "sft" when Kind == "Chat" => "对话（交叉熵）",
        "sft" => "遵循指令（交叉熵）",
        "dpo" => "对回答的偏好（DPO）",
        var other => other,
    }).Distinct());

    /// <summary>
    /// For each version with one before it: the kinds of data that its own stages had and no stage up to the one before.
    /// Where it leads on such a kind, the data taught it. Plain text of a Base counts for nothing here.
    /// </summary>
    public static IEnumerable<(VersionCard Card, VersionCard Before, IReadOnlyList<string> Kinds)> OnlyTrainedOn(IReadOnlyList<VersionCard> cards)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < cards.Count; i++)
        {
            var own = cards[i].Stages.Where(s => s.Stage != "pretrain").SelectMany(s => s.Data).Select(d => d.Kind).Distinct(StringComparer.Ordinal).ToList();
            if (i > 0 && own.Where(kind => !seen.Contains(kind)).ToList() is { Count: > 0 } only)
                yield return (cards[i], cards[i - 1], only);
            seen.UnionWith(own);
        }
    }
}

/// <summary>A loss over the course of a stage.</summary>
/// <param name="Name">The version that it made.</param>
/// <param name="Points">Step and loss, in order.</param>
public sealed record LossCurve(string Name, IReadOnlyList<(double Step, double Loss)> Points);
