using Attune.Core.Evaluation;
using Attune.Core.Evaluation.Alignment;

namespace Attune.App.Alignment;

/// <summary>The curves of a comparison: figures over what was varied, and over how far the policy went.</summary>
internal static class AlignmentSweeps
{
    /// <summary>All of them; one whose arms did not run has no lines.</summary>
    /// <param name="plan">The arms.</param>
    /// <param name="rows">Their figures.</param>
    public static IReadOnlyList<AlignmentSweep> Of(IReadOnlyList<AlignmentArm> plan, IReadOnlyList<ReportRow> rows)
    {
        var found = rows.ToDictionary(r => (r.Metric, r.Group));
        (string, IReadOnlyList<(double X, double Value, double Low, double High)>) Line(string name, string metric, IEnumerable<(string Arm, double X)> at) => (name,
        [
            .. at.Where(p => found.ContainsKey((metric, p.Arm))).OrderBy(p => p.X).Select(p => (p.X, found[(metric, p.Arm)])).Select(p => (p.X, p.Item2.Value, p.Item2.Low, p.Item2.High)),
        ]);

        // Every method has its place in every plot, and so its colour.
        string[] methods = [.. plan.Where(a => a.Versions > 0).Select(a => a.Method).Distinct(StringComparer.Ordinal)];

        // The main arm stands in each curve of its method, at its own value.
        AlignmentSweep Over(string group, string metric, Func<string, double> own, string title, string titleZh, string axis) => new(title, titleZh, axis, $"{metric}, 0 to 1",
        [
            .. methods.Select(method => (Key: method, Arms: plan.Where(a => a.Group == group && a.Method == method).ToArray()))
                .Select(method => Line(method.Key, metric, method.Arms.Length == 0 ? [] : method.Arms.Select(a => (a.Key, a.Varied!.Value)).Append((method.Key, own(method.Key))))),
        ]);

        // The same training, shorter and longer, is the curve; without it the arms that went less or more far have to do. All begin at the start.
        string[] far = ["main", .. plan.Any(a => a.Group == "length") ? ["length"] : new[] { "beta", "rate" }];
        AlignmentSweep OverKl(string metric, string unit, string title, string titleZh) => new(title, titleZh, "KL to the start, nats an answer", unit,
        [
            .. methods.Select(method => Line(method, metric, plan.Where(a => a.Method == method && far.Contains(a.Group)).Select(a => a.Key).Append(AlignmentPlan.Start).Select(arm => (arm, found[("kl", arm)].Value)))),
        ]);

        return
        [
            Over("noise", "quality", _ => 0, "Noisy labels: quality over the share of exchanged pairs", "标注噪声：质量随被对调的偏好对比例变化", "share exchanged"),
            Over("noise", "preference", _ => 0, "… and what was learnt: held-out preference as the world labels it; a half is the start", "……以及学到了什么：以世界标注的留出偏好衡量，二分之一为起点", "share exchanged"),
            Over("beta", "quality", AlignmentPlan.OwnBeta, "Sensitivity to β (DPO) and the KL coefficient (PPO)", "对 β 与 KL 系数的敏感度", "β or KL coefficient") with { Logarithmic = true },
            Over("rate", "quality", _ => 1, "Sensitivity to the learning rate", "对学习率的敏感度", "multiple of the rate") with { Logarithmic = true },
            new("Quality of the SFT set × its size", "SFT 数据的质量 × 数量", "share of the rows", "quality, 0 to 1",
            [
                .. plan.Where(a => a.Group == "data").GroupBy(a => a.DataQuality!, StringComparer.Ordinal)
                    .Select(quality => Line(quality.Key, "quality", quality.Select(a => (a.Key, a.Varied!.Value)))),
            ]) { Logarithmic = true },
            Over("length", "quality", _ => 1, "Trained for shorter and longer", "训练更短与更长", "multiple of the length") with { Logarithmic = true },
            OverKl("reward", "reward above the start", "Over-optimisation: the reward model's opinion, above the start's, over KL", "过度优化：奖励模型的评分（相对起点）随 KL 变化"),
            OverKl("truth", "true grade, 0 to 1", "… and the truth about the same answers", "……以及同样回答的真实评分"),
        ];
    }
}
