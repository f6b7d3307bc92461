using System.Globalization;
using Attune.Core.Evaluation.Statistics;

namespace Attune.Core.Evaluation.Alignment;

/// <summary>What the figures say of a claim.</summary>
public enum Finding
{
    /// <summary>The whole interval says so.</summary>
    Supported,

    /// <summary>The whole interval says otherwise.</summary>
    Refuted,

    /// <summary>The interval holds both: more questions, more seeds or a larger model would be needed.</summary>
    CannotBeTold,
}

/// <summary>A claim with the figure that decides it.</summary>
/// <param name="Text">What is claimed.</param>
/// <param name="Measure">What the figure is.</param>
/// <param name="Value">The figure.</param>
/// <param name="Low">Lower end of its 95% interval.</param>
/// <param name="High">Upper end.</param>
/// <param name="Finding">What it says.</param>
public sealed record AlignmentClaim(string Text, string Measure, double Value, double Low, double High, Finding Finding)
{
    /// <summary>Whether it stands beside the question and decides nothing: size may count, and quality count for more.</summary>
    public bool Aside { get; init; }

    /// <summary>The figure with its interval, as it is shown.</summary>
    public string Figure() => !double.IsFinite(Value) ? "no figure"
        : double.IsFinite(High) ? $"{Shown.Of(Value, "F3")}, {Shown.Of(Low, "F3")} to {Shown.Of(High, "F3")}"
        : $"{Shown.Of(Value, "F3")}, no interval";
}

/// <summary>One of the questions, answered.</summary>
/// <param name="Question">The question.</param>
/// <param name="QuestionZh">In Chinese.</param>
/// <param name="Claims">The claims that it rests on, each with its figure; none where the runs that it needs are not there.</param>
public sealed record AlignmentAnswer(string Question, string QuestionZh, IReadOnlyList<AlignmentClaim> Claims)
{
    /// <summary>
    /// A question that joins claims by "and": supported where all are, which needs no wider intervals; refuted where one is,
    /// which k claims do by accident up to k times as often as one. Claims that stand aside do not count.
    /// </summary>
    public Finding Finding => !Deciding.Any() ? Finding.CannotBeTold
        : Deciding.Any(c => c.Finding == Finding.Refuted) ? Finding.Refuted
        : Deciding.All(c => c.Finding == Finding.Supported) ? Finding.Supported
        : Finding.CannotBeTold;

    private IEnumerable<AlignmentClaim> Deciding => Claims.Where(c => !c.Aside);
}

/// <summary>What one way of training gave: for each seed the same items.</summary>
/// <param name="Key">Its name in the plan.</param>
/// <param name="Quality">Grade of each answer over the best grade, [seed][item], 0 to 1.</param>
/// <param name="Seconds">What each seed cost in training, reward model included.</param>
public sealed record ArmOutcome(string Key, IReadOnlyList<double[]> Quality, IReadOnlyList<double> Seconds)
{
    /// <summary>σ(Δ) of held-out pairs, [seed][pair]: above ½ where the chosen answer gained on the rejected one since the start.</summary>
    public IReadOnlyList<double[]> Preference { get; init; } = [];
}

/// <summary>The four questions and the sceptic's, each turned into claims that an interval can decide.</summary>
public static class AlignmentFindings
{
    /// <summary>What counts as no difference: three points of quality.</summary>
    public const double Margin = 0.03;

    private static readonly Rule Above = new(d => d.Low > 0, d => d.High < Margin);
    private static readonly Rule Below = new(d => d.High < 0, d => d.Low > -Margin);
    private static readonly Rule NotBelow = new(d => d.Low > -Margin, d => d.High < -Margin);
    private static readonly Rule Level = new(d => d.Low > -Margin && d.High < Margin, d => d.Low > Margin || d.High < -Margin);

    private sealed record Rule(Func<SeededFigure, bool> Supports, Func<SeededFigure, bool> Refutes);

    /// <summary>All of them, in order. A question whose arms did not run has no claims.</summary>
    /// <param name="arms">The outcomes, by their keys in the plan.</param>
    /// <param name="clusters">The cluster of each item.</param>
    public static IReadOnlyList<AlignmentAnswer> Answer(IReadOnlyDictionary<string, ArmOutcome> arms, IReadOnlyList<string> clusters)
    {
        ArmOutcome? Arm(string key) => arms.GetValueOrDefault(key);
        return
        [
            new("Is DPO cheaper and steadier than RLHF at the same quality?", "同等质量下，DPO 是否比 RLHF 更省、更稳？",
                Arm("dpo") is { } dpo && Arm("rlhf") is { } rlhf
                    ? [Cheaper(dpo, rlhf), Steadier(dpo, rlhf), AsGood("DPO is as good as RLHF", dpo, rlhf, clusters)] : []),
            new("Is DPO worse on graded feedback?", "在分级反馈上 DPO 是否更差？",
                Arm("graded-rlhf") is { } graded
                    ? [.. new[] { ("graded-dpo", "DPO on bare pairs"), ("graded-dpo-margin", "DPO with margins"), ("graded-dpo-list", "listwise DPO") }
                        .Where(v => Arm(v.Item1) is not null).Select(v => Worse($"{v.Item2} is worse than RM + PPO on the same rankings", Arm(v.Item1)!, graded, clusters))] : []),
            new("Is SFT a prerequisite?", "SFT 是否为前提？",
            [
                .. new[] { ("base-dpo", "dpo", "DPO"), ("base-rlhf", "rlhf", "RM + PPO") }
                    .Where(v => Arm(v.Item1) is not null && Arm(v.Item2) is not null)
                    .Select(v => Worse($"{v.Item3} from Base is worse than from Instruct", Arm(v.Item1)!, Arm(v.Item2)!, clusters)),
            ]),
            new("Does the quality of the SFT set count for more than its size?", "SFT 数据的质量是否比数量更重要？",
                Arm("data-written-small") is { } written && Arm("data-noisy-large") is { } noisy
                    ? [Better("A quarter of the rows, well written, beats all of them with noise", written, noisy, clusters),
                       .. Arm("data-filtered-large") is { } filtered ? [Better("Filtering the noisy rows beats keeping them", filtered, noisy, clusters)] : Array.Empty<AlignmentClaim>(),
                       .. Arm("data-duplicated-large") is { } duplicated ? [AsGood("A quarter of the rows, once, is as good as the same rows repeated to full size", written, duplicated, clusters)] : Array.Empty<AlignmentClaim>(),
                       .. Arm("data-written-large") is { } all ? [Better("Size alone: all of the rows beat a quarter of them, equally well written", all, written, clusters) with { Aside = true }] : Array.Empty<AlignmentClaim>()] : []),
            new("Does it show where chosen and rejected were exchanged?", "偏好对被对调时，结果能否看出？",
            [
                .. Exchanged("DPO", Arm("dpo"), Arm("dpo-flip-0.5"), Arm("dpo-flip-1"), clusters),
                .. Exchanged("RM + PPO", Arm("rlhf"), Arm("rlhf-flip-0.5"), Arm("rlhf-flip-1"), clusters).Select(c => c with { Aside = true }),
            ]),
        ];
    }

    /// <summary>Clusters of items that have nothing to do with each other.</summary>
    internal static string[] Own(int items) => [.. Enumerable.Range(0, items).Select(i => i.ToString(CultureInfo.InvariantCulture))];

    // The held-out pairs are as the world labels them, whatever the arms were trained on; a half is where the start is.
    private static AlignmentClaim[] Exchanged(string method, ArmOutcome? straight, ArmOutcome? half, ArmOutcome? all, IReadOnlyList<string> clusters)
    {
        if (straight is not { Preference: [var first, ..] } || half is null || all is null)
            return [];
        var own = Own(first.Length);
        double[][] start = [.. straight.Preference.Select(seed => seed.Select(_ => 0.5).ToArray())];
        AlignmentClaim Prefers(string text, string measure, IReadOnlyList<double[]> left, IReadOnlyList<double[]> right, Rule rule) =>
            Of(text, $"preference of {measure}", SeededMean.Difference(left, right, own), rule);
        return
        [
            Prefers($"{method} on the pairs as they are comes to prefer held-out chosen answers", $"{straight.Key} − ½", straight.Preference, start, Above),
            Prefers($"{method} on pairs half of which are exchanged learns less of it", $"{half.Key} − {straight.Key}", half.Preference, straight.Preference, Below),
            Prefers($"{method} on pairs that are all exchanged comes to prefer the rejected", $"{all.Key} − ½", all.Preference, start, Below),
            Prefers($"{method} on pairs half of which are exchanged stays where it started", $"{half.Key} − ½", half.Preference, start, Level) with { Aside = true },
            Worse($"{method} on pairs that are all exchanged answers worse than on the pairs as they are", all, straight, clusters) with { Aside = true },
        ];
    }

    /// <summary>left is not worse than right by more than the margin.</summary>
    public static AlignmentClaim AsGood(string text, ArmOutcome left, ArmOutcome right, IReadOnlyList<string> clusters) => OfQuality(text, left, right, clusters, NotBelow);

    /// <summary>left is better than right.</summary>
    public static AlignmentClaim Better(string text, ArmOutcome left, ArmOutcome right, IReadOnlyList<string> clusters) => OfQuality(text, left, right, clusters, Above);

    /// <summary>left is worse than right.</summary>
    public static AlignmentClaim Worse(string text, ArmOutcome left, ArmOutcome right, IReadOnlyList<string> clusters) => OfQuality(text, left, right, clusters, Below);

    private static AlignmentClaim OfQuality(string text, ArmOutcome left, ArmOutcome right, IReadOnlyList<string> clusters, Rule rule) =>
        Of(text, $"quality of {left.Key} − {right.Key}", SeededMean.Difference(left.Quality, right.Quality, clusters), rule);

    // One seed says nothing about another: its interval stands, and decides nothing.
    private static AlignmentClaim Of(string text, string measure, SeededFigure difference, Rule rule) =>
        new(text, measure, difference.Value, difference.Low, difference.High, difference.Seeds.Count < 2 ? Finding.CannotBeTold : Decide(rule.Supports(difference), rule.Refutes(difference)));

    private static AlignmentClaim Cheaper(ArmOutcome left, ArmOutcome right)
    {
        var (value, low, high) = SeededMean.Ratio(left.Seconds, right.Seconds);
        return new("DPO is cheaper", $"seconds of {left.Key} / {right.Key}", value, low, high, Decide(high < 1, low > 1));
    }

    private static AlignmentClaim Steadier(ArmOutcome left, ArmOutcome right)
    {
        var (value, low, high) = SeededMean.SpreadRatio([.. left.Quality.Select(q => q.Average())], [.. right.Quality.Select(q => q.Average())]);
        return new("DPO is steadier", $"spread over seeds of {left.Key} / {right.Key}", value, low, high, Decide(high < 1, low > 1));
    }

    private static Finding Decide(bool yes, bool no) => yes ? Finding.Supported : no ? Finding.Refuted : Finding.CannotBeTold;
}
