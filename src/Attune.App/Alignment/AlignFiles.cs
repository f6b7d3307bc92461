using Attune.Core.Data;

namespace Attune.App.Alignment;

/// <summary>What a data file can teach an alignment.</summary>
internal enum AlignKind
{
    /// <summary>Which answer is better: pairs, rankings, scores.</summary>
    Pairs,

    /// <summary>Whether an answer is good.</summary>
    Thumbs,

    /// <summary>Nothing but what is asked.</summary>
    Prompts,

    /// <summary>What to answer.</summary>
    Conversations,

    /// <summary>What texts are like.</summary>
    Texts,
}

/// <summary>The data files of an alignment by what they can teach, and how their rows are read for the one or the other way of learning.</summary>
internal sealed class AlignFiles
{
    private readonly ILookup<AlignKind, string> _byKind;

    /// <summary>Looks into each file.</summary>
    public AlignFiles(IReadOnlyList<string> files) => (All, _byKind) = (files, files.ToLookup(f => KindOf(DataFormat.Detect(f).Kind)));

    /// <summary>All of them, as they were given.</summary>
    public IReadOnlyList<string> All { get; }

    /// <summary>The files of a kind.</summary>
    public IEnumerable<string> this[AlignKind kind] => _byKind[kind];

    /// <summary>What rows of a format can teach.</summary>
    public static AlignKind KindOf(FormatKind format) => format switch
    {
        FormatKind.Preference or FormatKind.Ranking or FormatKind.Annotations or FormatKind.Scored => AlignKind.Pairs,
        FormatKind.Kto => AlignKind.Thumbs,
        FormatKind.Prompts => AlignKind.Prompts,
        FormatKind.Text or FormatKind.JsonText => AlignKind.Texts,
        _ => AlignKind.Conversations,
    };

    /// <summary>Scored answers; empty for a file of anything else.</summary>
    public static IEnumerable<ScoredRow> Scored(string file, RowTally tally) =>
        DataFormat.Detect(file).Kind == FormatKind.Scored ? DataReader.Read(file, BadRows.Drop, tally).Cast<ScoredRow>() : [];

    /// <summary>For learning from pairs: thumbs are pairs where a prompt has both.</summary>
    public IEnumerable<PreferenceRow> Pairs(RowTally tally) =>
    [
        .. this[AlignKind.Pairs].SelectMany(f => DataFormat.Detect(f).Kind == FormatKind.Scored
            ? PreferenceForms.Rankings(Scored(f, tally), tally).SelectMany(ranking => PreferenceForms.Pairs(ranking, tally))
            : DataReader.ReadPreferences(f, BadRows.Drop, tally)),
        .. PreferenceForms.Pairs(Thumbs(tally), tally),
    ];

    /// <summary>For learning from labelled answers: pairs are two each, and scores that stand alone are labels by their median.</summary>
    public IEnumerable<LabelledRow> Labels(RowTally tally) =>
    [
        .. Thumbs(tally),
        .. this[AlignKind.Pairs].SelectMany(f => DataFormat.Detect(f).Kind == FormatKind.Scored
            ? [.. PreferenceForms.Rankings(Scored(f, new RowTally()), new RowTally()).SelectMany(PreferenceForms.Labels), .. PreferenceForms.LoneLabels(Scored(f, tally), tally)]
            : DataReader.ReadLabelled(f, BadRows.Drop, tally)),
    ];

    /// <summary>Prompts that stand without answers, each once.</summary>
    public IEnumerable<PromptRow> Prompts(RowTally tally) => this[AlignKind.Prompts].SelectMany(f => DataReader.ReadPrompts(f, BadRows.Drop, tally)).DistinctBy(p => PreferenceForms.Key(p.Prompt), StringComparer.Ordinal);

    /// <summary>Conversations to imitate.</summary>
    public IEnumerable<ConversationRow> Conversations(RowTally tally) => this[AlignKind.Conversations].SelectMany(f => DataReader.ReadConversations(f, BadRows.Drop, tally));

    /// <summary>Documents.</summary>
    public IEnumerable<TextRow> Texts(RowTally tally) => this[AlignKind.Texts].SelectMany(f => DataReader.ReadTexts(f, BadRows.Drop, tally));

    private IEnumerable<LabelledRow> Thumbs(RowTally tally) => this[AlignKind.Thumbs].SelectMany(f => DataReader.ReadLabelled(f, BadRows.Drop, tally));
}
