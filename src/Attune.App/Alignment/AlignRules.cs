using System.Globalization;
using Attune.Core.Versions;
using Attune.Prompts;

namespace Attune.App.Alignment;

/// <summary>A row of the decision table.</summary>
/// <param name="Name">What lineage and report call it.</param>
/// <param name="When">The condition, in words.</param>
/// <param name="Holds">The condition.</param>
/// <param name="Stage">The stage that is run.</param>
/// <param name="Options">Options that the row sets.</param>
/// <param name="Why">The reason, for people.</param>
internal sealed record AlignRule(string Name, string When, Func<AlignEvidence, bool> Holds, string Stage, Func<AlignEvidence, IReadOnlyDictionary<string, object?>> Options, string Why)
{
    /// <summary>Whether it learns from the version's own answers: by a stage that draws them itself, or from pairs that are made of them before each round.</summary>
    public bool OnPolicy { get; init; }

    /// <summary>Whether it learns from labelled answers.</summary>
    public bool LearnsLabels => Stage == "kto";

    /// <summary>Whether it learns from pairs that were given.</summary>
    public bool LearnsPairs => !OnPolicy && Stage is ("dpo" or "orpo");

    /// <summary>Whether it learns from preferences that were given, of either kind.</summary>
    public bool LearnsGiven => LearnsPairs || LearnsLabels;
}

/// <summary>How <c>attune align</c> decides: the first row whose condition holds. The guide prints this table.</summary>
internal static class AlignRules
{
    private const double Contradictory = 0.05;
    private const int FewPairs = 200;
    // The chosen answers' own loss beside DPO's, as Llama 3 has it (arXiv 2407.21783). On the world's pairs a version then wins
    // as much and lies nearer to its start; a weight of 1 costs it some of its refusals: bench/results/align.md.
    private const double SftWeight = 0.2;

    /// <summary>What is learnt before what decides: every row whose condition holds, in order.</summary>
    public static IReadOnlyList<AlignRule> First { get; } =
    [
        new("texts-first", "texts beside conversations, or beside preferences of a version that was never taught to answer", e => e.Texts > 0 && (e.Conversations > 0 || (e.Prefers && !e.Answers)), "pretrain", _ => Set(),
            "pretraining undoes some of the way in which a version answers, and what comes after it teaches that again"),
        new("conversations-first", "conversations beside pairs, thumbs, or prompts with something that scores answers", e => e.Conversations > 0 && e.Prefers, "sft", _ => Set(),
            "an answer has to be known before it can be preferred: SFT imitates the conversations, and the preferences are learnt from there"),
    ];

    /// <summary>The rows, in order.</summary>
    public static IReadOnlyList<AlignRule> Table { get; } =
    [
        new("base-pairs", "pairs, and the version was never taught to answer", e => e.Pairs > 0 && !e.Answers, "orpo", _ => Set(("contract", "chatml")),
            "ORPO learns the answers and the preference in one loss, so it needs no SFT before and no reference"),
        new("mostly-thumbs", "pairs, and more labelled answers than the pairs hold", e => e.Pairs > 0 && e.Good + e.Bad > 2 * e.Pairs, "kto", Rarer,
            "KTO learns from every answer, where DPO would leave out those that have no counterpart to the same prompt, which here are the more"),
        new("graded", "pairs with margins, from scores or rankings", e => e.Pairs > 0 && e.WithMargin >= e.Pairs / 2, "dpo", _ => Set(("loss", "offset"), ("sft_weight", SftWeight)),
            "DPO with an offset asks of each pair the margin that its scores have, where plain DPO would take every pair for equally clear"),
        new("noisy-pairs", string.Create(CultureInfo.InvariantCulture, $"pairs, {Contradictory * 100:0}% or more of which contradict others"), e => e.Pairs > 0 && e.Contradictions >= Contradictory, "dpo",
            e => Set(("loss", "cdpo"), ("label_smoothing", Math.Min(0.4, Math.Round(e.Contradictions / 2, 3))), ("sft_weight", SftWeight)),
            "cDPO takes a share of the labels to be wrong: half of the rows that contradict each other are"),
        new("few-pairs", string.Create(CultureInfo.InvariantCulture, $"fewer than {FewPairs} pairs"), e => e.Pairs is > 0 and < FewPairs, "dpo", _ => Set(("loss", "sigmoid"), ("sft_weight", SftWeight)),
            "few pairs are learnt by heart; the chosen answers' own loss keeps their probability from falling"),
        new("pairs", "pairs", e => e.Pairs > 0, "dpo", _ => Set(("loss", "sigmoid"), ("sft_weight", SftWeight)),
            "DPO is the least that learns from pairs: one model trained, its start as reference, no reward model to keep up; the chosen answers' own loss beside it keeps it near what it could"),
        new("lone-scores", "scored answers, each the only one to its prompt", e => e.LoneScores > 0 && e.Good == 0 && e.Bad == 0, "kto", _ => Set(),
            "a score with nothing to compare it with says only whether an answer is above or below the median: good or bad"),
        new("thumbs", "answers labelled good or bad", e => e.Good > 0 && e.Bad > 0, "kto", Rarer,
            "KTO learns from single labelled answers, without a second answer to the same prompt; the rarer label is weighted up until both count alike"),
        new("verifiable", "prompts, and rules that say what a right answer is", e => e.Prompts > 0 && e.ByRules && e.Answers, "grpo", _ => Set(),
            "a rule is the truth itself, which no policy can learn to please wrongly: the version's answers are reinforced directly, each against the others to its prompt, with no pairs, no reward model and no value model") { OnPolicy = true },
        new("own-answers", "prompts, and a reward model or a judge that scores answers", e => e.Prompts > 0 && e.CanScore && e.Answers, "dpo", _ => Set(("loss", "offset")),
            "the version's own answers, scored, are pairs that lie where it is: DPO on them, drawn anew each round") { OnPolicy = true },
        new("conversations", "conversations with answers", e => e.Conversations > 0, "sft", _ => Set(),
            "there is no preference in the data, only answers: SFT imitates them"),
        new("texts", "texts of a new domain or language", e => e.Texts > 0, "pretrain", _ => Set(),
            "plain text teaches by prediction alone: pretraining goes on from the version; give its tasks, for this is how they are forgotten"),
    ];

    /// <summary>The row that decides.</summary>
    /// <exception cref="AttuneException">ATT4811: none does.</exception>
    public static AlignRule Decide(AlignEvidence evidence) => Table.FirstOrDefault(r => r.Holds(evidence)) ?? throw new AttuneException("ATT4811", evidence is { Prompts: > 0, CanScore: true } ? "The version was never taught to answer: its answers to prompts are nothing to learn from."
        : evidence.Prompts > 0 ? "Prompts alone say nothing about which answer is better."
        : evidence.Scored > 0 ? "All scores are equal: they say of no answer that it is better than another."
        : "There is nothing to align to.")
    {
        Field = "data",
        Hint = evidence is { Prompts: > 0, CanScore: true } ? "Add conversations, which are learnt first; or take a version that answers."
            : evidence.Prompts > 0 ? "Add --rule, --reward or --judge, which score answers; or rank some yourself: ./attune rank PROMPTS --versions VERSION"
            : evidence.CanScore ? "Prompts are enough, for answers to them can be scored: --data prompts.jsonl; what your users ask is best."
            : evidence.HasWorld ? "The world has preferences of its own: --data WORLD/preference.jsonl, or WORLD/rankings.jsonl."
            : "Give --data: pairs, rankings, thumbs, conversations, texts, or prompts with something that scores answers.",
    };

    // Pairs beside thumbs are an answer of each label.
    private static IReadOnlyDictionary<string, object?> Rarer(AlignEvidence e)
    {
        double good = e.Good + e.Pairs, bad = e.Bad + e.Pairs;
        return Set((good > bad ? "undesirable_weight" : "desirable_weight", Math.Round(Math.Max(good, bad) / Math.Min(good, bad), 3)));
    }

    private static IReadOnlyDictionary<string, object?> Set(params (string Key, object? Value)[] options) => options.ToDictionary(o => o.Key, o => o.Value, StringComparer.Ordinal);
}
