using System.Text;

namespace Attune.Core.Data;

/// <summary>What becomes of a row that is at fault.</summary>
public enum BadRows
{
    /// <summary>The run is refused with the row's file, line and field.</summary>
    Error,

    /// <summary>The row is left out, and counted by reason.</summary>
    Drop,
}

/// <summary>
/// Reads the rows of data files in the order of the file, one at a time, whatever their format
/// (<see cref="DataFormat.Detect"/>). A JSON array is read whole, everything else is streamed.
/// </summary>
public static class DataReader
{
    // Longer documents come in pieces, so that a corpus of one huge file needs no huge string.
    private const int PieceCharacters = 1 << 20;

    /// <summary>Every row of a file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="badRows">What becomes of rows at fault. Faults of the whole file are always errors.</param>
    /// <param name="tally">Counts what was read and dropped, or null.</param>
    /// <exception cref="DataException">ATT3001 to ATT3015: see docs/errors.md. Raised while the rows are enumerated.</exception>
    public static IEnumerable<DataRow> Read(string path, BadRows badRows = BadRows.Error, RowTally? tally = null) =>
        Read(path, DataFormat.Detect(path), badRows, tally);

    /// <summary>Documents: plain text and JSON text.</summary>
    /// <inheritdoc cref="Read(string, BadRows, RowTally)"/>
    public static IEnumerable<TextRow> ReadTexts(string path, BadRows badRows = BadRows.Error, RowTally? tally = null) =>
        As<TextRow>(path, "documents", badRows, tally);

    /// <summary>Conversations to learn from: alpaca, sharegpt, messages, prompt and completion.</summary>
    /// <inheritdoc cref="Read(string, BadRows, RowTally)"/>
    public static IEnumerable<ConversationRow> ReadConversations(string path, BadRows badRows = BadRows.Error, RowTally? tally = null) =>
        As<ConversationRow>(path, "conversations", badRows, tally);

    /// <summary>Preference pairs: as they are, or made of rankings, annotations and scores with their margins.</summary>
    /// <inheritdoc cref="Read(string, BadRows, RowTally)"/>
    public static IEnumerable<PreferenceRow> ReadPreferences(string path, BadRows badRows = BadRows.Error, RowTally? tally = null)
    {
        var format = DataFormat.Detect(path);
        if (!Ranks(format.Kind))
            return As<PreferenceRow>(path, format, "preference pairs", badRows, tally);
        tally ??= new RowTally();
        return AtLeastOne(path, Rankings(path, format, badRows, tally).SelectMany(ranking => PreferenceForms.Pairs(ranking, tally)));
    }

    /// <summary>Rankings: as they are, of annotations and scores, or pairs as rankings of two.</summary>
    /// <inheritdoc cref="Read(string, BadRows, RowTally)"/>
    public static IEnumerable<RankingRow> ReadRankings(string path, BadRows badRows = BadRows.Error, RowTally? tally = null)
    {
        var format = DataFormat.Detect(path);
        return Ranks(format.Kind)
            ? Rankings(path, format, badRows, tally ?? new RowTally())
            : As<PreferenceRow>(path, format, "rankings", badRows, tally).Select(PreferenceForms.Ranking);
    }

    /// <summary>Labelled conversations: as they are, or the two sides of pairs, or the best and the worst of rankings.</summary>
    /// <inheritdoc cref="Read(string, BadRows, RowTally)"/>
    public static IEnumerable<LabelledRow> ReadLabelled(string path, BadRows badRows = BadRows.Error, RowTally? tally = null)
    {
        var format = DataFormat.Detect(path);
        return Ranks(format.Kind) ? AtLeastOne(path, Rankings(path, format, badRows, tally ?? new RowTally()).SelectMany(PreferenceForms.Labels))
            : format.Kind == FormatKind.Preference ? As<PreferenceRow>(path, format, "labelled conversations", badRows, tally).SelectMany(PreferenceForms.Labels)
            : As<LabelledRow>(path, format, "labelled conversations", badRows, tally);
    }

    /// <summary>
    /// Prompts to be answered: rows that are prompts, or what stands before the answers of any other rows; lines of a plain
    /// text are a prompt each. The answer of a conversation is kept as the right one.
    /// </summary>
    /// <inheritdoc cref="Read(string, BadRows, RowTally)"/>
    public static IEnumerable<PromptRow> ReadPrompts(string path, BadRows badRows = BadRows.Error, RowTally? tally = null)
    {
        var format = DataFormat.Detect(path);
        if (format.Kind == FormatKind.Text)
            format = format with { Layout = FileLayout.TextLines };
        return Read(path, format, badRows, tally).Select(row => row switch
        {
            PromptRow prompt => prompt,
            TextRow text => new PromptRow(new([new(Turns.User, text.Text.Trim())]), null, text.Origin),
            PreferenceRow pair => new PromptRow(pair.Prompt, null, pair.Origin),
            RankingRow ranking => new PromptRow(ranking.Prompt, null, ranking.Origin),
            LabelledRow talk => new PromptRow(PreferenceForms.PromptOf(talk.Conversation), null, talk.Origin),
            ScoredRow talk => new PromptRow(PreferenceForms.PromptOf(talk.Conversation), null, talk.Origin),
            ConversationRow talk => new PromptRow(PreferenceForms.PromptOf(talk.Conversation), talk.Conversation.Messages[^1].Content, talk.Origin),
            _ => throw new InvalidOperationException($"Unknown row {row.GetType().Name}."),
        });
    }

    private static bool Ranks(FormatKind kind) => kind is FormatKind.Ranking or FormatKind.Annotations or FormatKind.Scored;

    private static IEnumerable<RankingRow> Rankings(string path, DataFormat format, BadRows badRows, RowTally tally) => format.Kind == FormatKind.Scored
        ? PreferenceForms.Rankings(Read(path, format, badRows, tally).Cast<ScoredRow>(), tally)
        : Read(path, format, badRows, tally).Cast<RankingRow>();

    private static IEnumerable<T> AtLeastOne<T>(string path, IEnumerable<T> rows)
    {
        var any = false;
        foreach (var row in rows)
        {
            any = true;
            yield return row;
        }
        if (!any)
            throw DataException.NoPreference(path, "No row says that one answer is better than another.");
    }

    private static IEnumerable<T> As<T>(string path, string wanted, BadRows badRows, RowTally? tally)
        where T : DataRow => As<T>(path, DataFormat.Detect(path), wanted, badRows, tally);

    private static IEnumerable<T> As<T>(string path, DataFormat format, string wanted, BadRows badRows, RowTally? tally)
        where T : DataRow => RowTypeOf(format.Kind) == typeof(T)
        ? Read(path, format, badRows, tally).Cast<T>()
        : throw DataException.WrongUse(path, $"The file holds {Describe(format.Kind)}, where {wanted} are needed: {format.Evidence}.",
            $"{Describe(format.Kind)} are for: {UseOf(format.Kind)}.");

    private static Type RowTypeOf(FormatKind kind) => kind switch
    {
        FormatKind.Text or FormatKind.JsonText => typeof(TextRow),
        FormatKind.Preference => typeof(PreferenceRow),
        FormatKind.Ranking or FormatKind.Annotations => typeof(RankingRow),
        FormatKind.Scored => typeof(ScoredRow),
        FormatKind.Kto => typeof(LabelledRow),
        FormatKind.Prompts => typeof(PromptRow),
        _ => typeof(ConversationRow),
    };

    private static string Describe(FormatKind kind) => kind switch
    {
        FormatKind.Text or FormatKind.JsonText => "documents",
        FormatKind.Preference => "preference pairs",
        FormatKind.Ranking => "rankings",
        FormatKind.Annotations => "annotations",
        FormatKind.Scored => "scored answers",
        FormatKind.Kto => "labelled conversations",
        FormatKind.Prompts => "prompts",
        _ => "conversations",
    };

    /// <summary>The commands that rows of a kind are for.</summary>
    public static string UseOf(FormatKind kind) => kind switch
    {
        FormatKind.Text or FormatKind.JsonText => "attune pretrain",
        FormatKind.Preference or FormatKind.Ranking or FormatKind.Annotations or FormatKind.Scored => "attune dpo, attune reward",
        FormatKind.Kto => "attune kto",
        FormatKind.Prompts => "attune rank, attune ppo, attune grpo",
        _ => "attune sft",
    };

    private static IEnumerable<DataRow> Read(string path, DataFormat format, BadRows badRows, RowTally? tally)
    {
        tally ??= new RowTally();
        var rows = 0;
        foreach (var row in format.Kind == FormatKind.Text ? Texts(path, format.Layout) : Json(path, format, badRows, tally))
        {
            rows++;
            tally.Read += row is TextRow { Opens: false } ? 0 : 1;
            yield return row;
        }
        if (rows == 0)
            throw tally.Dropped.Count > 0
                ? DataException.WrongUse(path, $"Every row is at fault: {tally.DescribeDropped()}.", "Read without dropping to see the first fault.")
                : DataException.Empty(path);
    }

    private static IEnumerable<DataRow> Json(string path, DataFormat format, BadRows badRows, RowTally tally)
    {
        void Fault(DataException fault)
        {
            if (badRows == BadRows.Error)
                throw fault;
            tally.Read++;
            tally.Drop(fault.Code + " " + fault.Message, new RowOrigin(path, fault.Line ?? 1));
        }

        var records = format.Layout == FileLayout.JsonArray ? JsonRecords.Array(path) : JsonRecords.Lines(path, Fault);
        if (format.Kind == FormatKind.Annotations)
            records = AnnotationEvents.Standing(records, tally);
        foreach (var row in records)
        {
            DataRow parsed;
            try
            {
                parsed = RowParser.Parse(row, format.Kind);
            }
            catch (DataException fault)
            {
                Fault(fault);
                continue;
            }
            yield return parsed;
        }
    }

    private static IEnumerable<TextRow> Texts(string path, FileLayout layout)
    {
        var text = new StringBuilder();
        var (start, opens) = (1, true);
        foreach (var (number, line) in TextFile.Lines(path))
        {
            if (layout == FileLayout.TextLines)
            {
                if (!string.IsNullOrWhiteSpace(line))
                    yield return new TextRow(line, new RowOrigin(path, number));
                continue;
            }
            if (layout == FileLayout.MarkedText && line.Trim() == DataFormat.DocumentMark)
            {
                if (!string.IsNullOrWhiteSpace(text.ToString()) || !opens)
                    yield return new TextRow(text.ToString(), new RowOrigin(path, start)) { Opens = opens };
                text.Clear();
                (start, opens) = (number + 1, true);
                continue;
            }
            if (text.Length >= PieceCharacters)
            {
                yield return new TextRow(text.ToString(), new RowOrigin(path, start)) { Opens = opens, Closes = false };
                text.Clear();
                (start, opens) = (number, false);
            }
            text.Append(line).Append('\n');
        }
        if (!string.IsNullOrWhiteSpace(text.ToString()) || !opens)
            yield return new TextRow(text.ToString(), new RowOrigin(path, start)) { Opens = opens };
    }
}
