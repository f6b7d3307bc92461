using Attune.Prompts;

namespace Attune.Core.Data;

/// <summary>A token as the preflight shows it.</summary>
/// <param name="Text">What it decodes to alone; U+FFFD where it is a part of a character.</param>
/// <param name="Trained">Whether it is in the loss.</param>
public readonly record struct PreflightToken(string Text, bool Trained);

/// <summary>A row as tokens with their mask, to be shown in two colours.</summary>
/// <param name="Origin">Where it came from.</param>
/// <param name="Label">"chosen" or "rejected" of a pair, else null.</param>
/// <param name="Tokens">In order.</param>
public sealed record PreflightSample(RowOrigin Origin, string? Label, IReadOnlyList<PreflightToken> Tokens);

/// <summary>Rows, tokens and trained tokens of one kind of data.</summary>
public sealed record KindShare(string Kind, int Rows, long Tokens, long TrainedTokens);

/// <summary>What a stage is about to train on, counted before it starts.</summary>
public sealed record PreflightReport
{
    /// <summary>Rows read, dropped, cut and masked, by reason.</summary>
    public required RowTally Tally { get; init; }

    /// <summary>Rows to be trained on (windows of documents; both rows of pairs).</summary>
    public required int Rows { get; init; }

    /// <summary>Real tokens: there is no padding.</summary>
    public required long Tokens { get; init; }

    /// <summary>Tokens in the loss.</summary>
    public required long TrainedTokens { get; init; }

    /// <summary>The longest row, tokens.</summary>
    public required int Longest { get; init; }

    /// <summary>Runs of trained tokens: what the assistant says at a time.</summary>
    public required int Turns { get; init; }

    /// <summary>Those of them whose end of turn is trained. The others never teach the model to stop.</summary>
    public required int EndedTurns { get; init; }

    /// <summary>Shares by the rows' <c>kind</c>, largest first; one nameless kind where rows have none.</summary>
    public required IReadOnlyList<KindShare> Kinds { get; init; }

    /// <summary>A few rows to look at.</summary>
    public required IReadOnlyList<PreflightSample> Samples { get; init; }
}

/// <summary>The look before the leap: counts, proofs and samples of the rows of a stage, and the refusal of a run without signal.</summary>
public static class Preflight
{
    private const int SampleRows = 3;

    /// <summary>Examines documents. Base text has no turns, so none must end.</summary>
    /// <exception cref="DataException">ATT3030: no token would be trained.</exception>
    public static PreflightReport OfTexts(IReadOnlyList<TokenRow> rows, RowTally tally, ITokenEncoder encoder) =>
        Examine([.. rows.Select(r => (r, (string?)null))], tally, encoder, null);

    /// <summary>Examines conversations.</summary>
    /// <param name="rows">What <see cref="TrainingRows"/> made.</param>
    /// <param name="tally">Its tally.</param>
    /// <param name="encoder">The tokenizer, for samples.</param>
    /// <param name="endOfTurn">Ids that end an assistant's turn, from the prompt contract.</param>
    /// <exception cref="DataException">ATT3030: no token would be trained; ATT3031: no end of turn would be trained, so the model would never stop.</exception>
    public static PreflightReport OfConversations(IReadOnlyList<TokenRow> rows, RowTally tally, ITokenEncoder encoder, IReadOnlyCollection<int> endOfTurn) =>
        Examine([.. rows.Select(r => (r, (string?)null))], tally, encoder, endOfTurn);

    /// <summary>Examines pairs.</summary>
    /// <inheritdoc cref="OfConversations"/>
    public static PreflightReport OfPairs(IReadOnlyList<PairRow> rows, RowTally tally, ITokenEncoder encoder, IReadOnlyCollection<int> endOfTurn) =>
        Examine([.. rows.SelectMany(r => new[] { (r.Chosen, (string?)"chosen"), (r.Rejected, "rejected") })], tally, encoder, endOfTurn);

    /// <summary>Examines prompts: nothing of them is trained, for what is learnt are the answers to come.</summary>
    /// <exception cref="DataException">ATT3030: there is none.</exception>
    public static PreflightReport OfPrompts(IReadOnlyList<TokenRow> rows, RowTally tally, ITokenEncoder encoder) =>
        Examine([.. rows.Select(r => (r, (string?)"prompt"))], tally, encoder, null, learnt: false);

    private static PreflightReport Examine(IReadOnlyList<(TokenRow Row, string? Label)> rows, RowTally tally, ITokenEncoder encoder, IReadOnlyCollection<int>? endOfTurn, bool learnt = true)
    {
        var (turns, ended) = (0, 0);
        foreach (var (row, _) in rows)
        {
            var (rowTurns, rowEnded) = CountTurns(row, endOfTurn ?? []);
            (turns, ended) = (turns + rowTurns, ended + rowEnded);
        }
        var report = new PreflightReport
        {
            Tally = tally,
            Rows = rows.Count,
            Tokens = rows.Sum(r => (long)r.Row.Ids.Length),
            TrainedTokens = rows.Sum(r => (long)r.Row.TrainedTokens),
            Longest = rows.Count == 0 ? 0 : rows.Max(r => r.Row.Ids.Length),
            Turns = endOfTurn is null ? 0 : turns,
            EndedTurns = ended,
            Kinds = Kinds(rows),
            Samples = [.. Picks(rows.Count).Select(i => Sample(rows[i].Row, rows[i].Label, encoder))],
        };
        if (learnt || rows.Count == 0)
            RefuseWithoutSignal(report, endOfTurn is not null);
        return report;
    }

    private static void RefuseWithoutSignal(PreflightReport report, bool hasTurns)
    {
        if (report.TrainedTokens == 0)
        {
            var lost = report.Tally.DescribeDropped();
            throw DataException.NoSignal(
                FormattableString.Invariant($"None of {report.Tally.Read} rows has a token to learn from{(lost.Length > 0 ? $": {lost}" : "")}."),
                "Such a run would end with a loss of 0.0 and an unchanged model. Check the window, the overlong policy and that the template marks what the assistant says.");
        }
        if (hasTurns && report.EndedTurns == 0)
            throw DataException.NoEndOfTurn(
                FormattableString.Invariant($"None of {report.Turns} assistant turns trains its end of turn."),
                "A model trained so never stops. The template must mark the end-of-turn token as the assistant's ({% generation %} around it), and the window must reach it.");
    }

    // A turn is a run of trained tokens; it ends well if one of them is an end of turn (a newline may follow it).
    private static (int Turns, int Ended) CountTurns(TokenRow row, IReadOnlyCollection<int> endOfTurn)
    {
        var (turns, ended, inTurn, hasEnd) = (0, 0, false, false);
        for (var i = 1; i <= row.Ids.Length; i++)
        {
            var trained = i < row.Ids.Length && row.Trained[i];
            if (trained)
            {
                hasEnd = (inTurn && hasEnd) || endOfTurn.Contains(row.Ids[i]);
            }
            else if (inTurn)
            {
                turns++;
                ended += hasEnd ? 1 : 0;
            }
            inTurn = trained;
        }
        return (turns, ended);
    }

    private static IReadOnlyList<KindShare> Kinds(IEnumerable<(TokenRow Row, string? Label)> rows) =>
        [.. rows.GroupBy(r => r.Row.Origin.Kind ?? "", StringComparer.Ordinal)
            .Select(g => new KindShare(g.Key, g.Count(), g.Sum(r => (long)r.Row.Ids.Length), g.Sum(r => (long)r.Row.TrainedTokens)))
            .OrderByDescending(k => k.TrainedTokens).ThenBy(k => k.Kind, StringComparer.Ordinal)];

    // The first, the middle and the last row: data often changes along a file.
    private static IEnumerable<int> Picks(int rows) =>
        Enumerable.Range(0, SampleRows).Select(i => (int)((long)i * (rows - 1) / (SampleRows - 1))).Where(_ => rows > 0).Distinct();

    private static PreflightSample Sample(TokenRow row, string? label, ITokenEncoder encoder)
    {
        var tokens = new PreflightToken[row.Ids.Length];
        for (var i = 0; i < tokens.Length; i++)
            tokens[i] = new PreflightToken(encoder.Decode(row.Ids.AsSpan(i, 1)), i > 0 && row.Trained[i]);
        return new PreflightSample(row.Origin, label, tokens);
    }
}
