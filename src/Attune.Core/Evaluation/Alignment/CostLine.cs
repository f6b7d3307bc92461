namespace Attune.Core.Evaluation.Alignment;

/// <summary>A line of what an arm cost: whose, and in what.</summary>
/// <param name="Key">As the report has it, after "cost.".</param>
/// <param name="En">In words, with its unit.</param>
/// <param name="Zh">In Chinese.</param>
/// <param name="Format">Of its figure.</param>
public sealed record CostLine(string Key, string En, string Zh, string Format)
{
    /// <summary>All lines, in the order in which a method pays them.</summary>
    public static IReadOnlyList<CostLine> All { get; } =
    [
        new("collecting.hours", "collecting preferences: hours of people", "收集偏好：人工小时", "F1"),
        .. from part in new[] { ("reward", "reward model, training", "奖励模型训练"), ("upkeep", "reward model, upkeep", "奖励模型维护"), ("policy", "policy", "策略") }
           from unit in new[] { ("seconds", "seconds", "秒", "F1"), ("megabytes", "MB at most", "内存峰值 MB", "N0"), ("tokens", "tokens", "词元", "N0") }
           select new CostLine($"{part.Item1}.{unit.Item1}", $"{part.Item2}: {unit.Item2}", $"{part.Item3}：{unit.Item3}", unit.Item4),
    ];

    /// <summary>The metric of its row.</summary>
    public string Metric => $"cost.{Key}";
}
