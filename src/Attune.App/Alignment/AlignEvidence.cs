using Attune.Core.Data;
using Attune.Core.Versions;

namespace Attune.App.Alignment;

/// <summary>What is known before anything is decided: the data, the version, what can say which answer is better.</summary>
internal sealed record AlignEvidence
{
    /// <summary>Pairs, given as such or implied by rankings and scores.</summary>
    public int Pairs { get; init; }

    /// <summary>Pairs whose margin is known.</summary>
    public int WithMargin { get; init; }

    /// <summary>Answers labelled good.</summary>
    public int Good { get; init; }

    /// <summary>Answers labelled bad.</summary>
    public int Bad { get; init; }

    /// <summary>Answers with a score of their own.</summary>
    public int Scored { get; init; }

    /// <summary>Those of them that say something, and are the only one to their prompt.</summary>
    public int LoneScores { get; init; }

    /// <summary>Prompts without answers to learn from.</summary>
    public int Prompts { get; init; }

    /// <summary>Conversations with an answer to imitate.</summary>
    public int Conversations { get; init; }

    /// <summary>Documents.</summary>
    public int Texts { get; init; }

    /// <summary>Share of the preference rows that contradict others.</summary>
    public double Contradictions { get; init; }

    /// <summary>Languages of the data, roughly, the commonest first.</summary>
    public IReadOnlyList<string> Languages { get; init; } = [];

    /// <summary>What the version is; null for a plain folder.</summary>
    public VersionKind? Kind { get; init; }

    /// <summary>Whether it has a prompt contract: whether it was ever taught to answer.</summary>
    public bool Answers { get; init; }

    /// <summary>Whether rules, a reward model or a judge can score new answers.</summary>
    public bool CanScore { get; init; }

    /// <summary>Whether there is a world to learn from.</summary>
    public bool HasWorld { get; init; }

    /// <summary>Whether it is rules that score them.</summary>
    public bool ByRules { get; init; }

    /// <summary>Whether anything says, or can say, which answers are better.</summary>
    public bool Prefers => Pairs > 0 || Good + Bad > 0 || LoneScores > 0 || (Prompts > 0 && CanScore);

    /// <summary>Looks the files over.</summary>
    /// <param name="files">The data.</param>
    /// <param name="known">What is known without it: the version, and what can score.</param>
    /// <param name="cancel">Stops between files.</param>
    public static AlignEvidence Of(AlignFiles files, AlignEvidence known, CancellationToken cancel)
    {
        if (files.All.Count == 0)
            return known;
        // Duplicates are none of its business: a threshold of one keeps that part cheap.
        var report = DataInspector.Inspect(new InspectOptions { Data = files.All, Similarity = 1, Examples = 0 }, null, cancel);
        var facts = report.Files.Select(f => f.Preferences).OfType<PreferenceFacts>().ToList();
        int Rows(AlignKind kind) => report.Files.Where(f => AlignFiles.KindOf(f.Format.Kind) == kind).Sum(f => f.Rows);
        ScoredRow[][] scored = [.. files[AlignKind.Pairs].Select(f => AlignFiles.Scored(f, new RowTally()).ToArray())];
        var compared = scored.Sum(rows => PreferenceForms.Rankings(rows, new RowTally()).SelectMany(PreferenceForms.Pairs).Count());
        int good = facts.Sum(f => f.Desirable), bad = facts.Sum(f => f.Undesirable), preferences = facts.Sum(f => f.Pairs) + good + bad;
        return known with
        {
            Pairs = facts.Sum(f => f.Pairs) + compared,
            WithMargin = facts.Sum(f => f.WithMargin) + compared,
            Scored = scored.Sum(rows => rows.Length),
            LoneScores = scored.Sum(rows => PreferenceForms.LoneLabels(rows, new RowTally()).Count()),
            Good = good,
            Bad = bad,
            Prompts = Rows(AlignKind.Prompts),
            Conversations = Rows(AlignKind.Conversations),
            Texts = Rows(AlignKind.Texts),
            Contradictions = preferences == 0 ? 0 : (double)report.Files.SelectMany(f => f.Contradictions).Where(c => c.Reason != PreferenceCheck.Repeated).Sum(c => c.Rows) / preferences,
            Languages = [.. report.Files.SelectMany(f => f.Languages).GroupBy(l => l.Key, StringComparer.Ordinal).OrderByDescending(g => g.Sum(l => l.Value)).Select(g => g.Key)],
        };
    }
}
