using Attune.Prompts;

namespace Attune.App.Alignment;

/// <summary>What becomes of data beside the data that decides.</summary>
/// <param name="Name">What the report calls it.</param>
/// <param name="When">Which data, beside which.</param>
/// <param name="Holds">The condition: the evidence, and the row that decided.</param>
/// <param name="What">What becomes of it.</param>
internal sealed record AlignBeside(string Name, string When, Func<AlignEvidence, AlignRule, bool> Holds, string What)
{
    /// <summary>The rows; every one that holds is told. The guide prints this table.</summary>
    public static IReadOnlyList<AlignBeside> Table { get; } =
    [
        new("thumbs-as-pairs", "thumbs, where pairs are learnt", (e, r) => e.Good + e.Bad > 0 && r.LearnsPairs, "a good and a bad answer to the same prompt are a pair; the others are left out and counted"),
        new("pairs-as-thumbs", "pairs, where thumbs are learnt", (e, r) => e.Pairs > 0 && r.LearnsLabels, "each is two labelled answers: what is lost is that they were compared, no answer is"),
        new("lone-scores-out", "scores without another answer to their prompt, where pairs are learnt", (e, r) => e.LoneScores > 0 && r.LearnsPairs, "they are left out and counted"),
        new("prompts-drawn", "prompts and something that scores answers, where pairs or thumbs are learnt", (e, r) => e is { Prompts: > 0, CanScore: true } && r.LearnsGiven, "the version's own answers to them, scored, are learnt after the given ones, where that pays (`--own-answers`)"),
        new("prompts-out", "prompts, and nothing that scores answers", (e, _) => e is { Prompts: > 0, CanScore: false }, "they are left out: `--rule`, `--reward` or `--judge` would score answers to them"),
    ];
}

/// <summary>What is done with the data, and why: what is learnt first, what decides, and what becomes of the rest.</summary>
/// <param name="First">Stages that go before, in order: each learns its kind of data once.</param>
/// <param name="Rule">The row that decides.</param>
/// <param name="Beside">What becomes of the rest.</param>
/// <param name="Evidence">What is known once the first stages are done.</param>
internal sealed record AlignDecision(IReadOnlyList<AlignRule> First, AlignRule Rule, IReadOnlyList<AlignBeside> Beside, AlignEvidence Evidence)
{
    /// <summary>Of evidence.</summary>
    /// <exception cref="AttuneException">ATT4811: nothing to align to; ATT4815: texts that nothing can be done with beside the others.</exception>
    public static AlignDecision Of(AlignEvidence evidence, AlignFiles files)
    {
        AlignRule[] first = [.. AlignRules.First.Where(r => r.Holds(evidence))];
        var talks = first.Any(r => r.Stage == "sft");
        var after = evidence with { Answers = evidence.Answers || talks, Conversations = talks ? 0 : evidence.Conversations };
        var rule = AlignRules.Decide(after);
        if (evidence.Texts > 0 && rule.Stage != "pretrain" && first.All(r => r.Stage != "pretrain"))
        {
            throw new AttuneException("ATT4815", $"Texts ({string.Join(", ", files[AlignKind.Texts].Select(Path.GetFileName))}) stand beside preferences, and nothing teaches to answer again once pretraining has gone on.")
            {
                Field = "data",
                Hint = "Add conversations, which are learnt between the two; or align to the texts alone with --save-as, teach that version to answer (attune sft), and align it to the rest.",
            };
        }
        return new(first, rule, [.. AlignBeside.Table.Where(b => b.Holds(after, rule))], after);
    }
}
