using Attune.Prompts;

namespace Attune.Core.Data;

/// <summary>What becomes of a row that is longer than the window.</summary>
public enum OverlongRows
{
    /// <summary>The run is refused, with the number of such rows.</summary>
    Error,

    /// <summary>The row is left out, and counted.</summary>
    Drop,

    /// <summary>The row's end is cut off, and counted.</summary>
    Truncate,
}

/// <summary>
/// Rows made ready for a stage, with the tally of what was lost on the way. Long documents are split into windows;
/// of other rows none is longer than the window, and none is without a trained token.
/// </summary>
public static class TrainingRows
{
    private const string TooLong = "longer than the window";
    private const string PromptTooLong = "a prompt that fills the window";
    private const string NoCompletion = "nothing of the completion inside the window";
    private const string NothingTrained = "no trained token";

    /// <summary>Documents in windows of at most <paramref name="window"/> tokens, in order.</summary>
    public static List<TokenRow> OfTexts(IEnumerable<TextRow> rows, ITokenEncoder encoder, int boundary, int window) =>
        [.. rows.SelectMany(r => TokenRows.Windows(TokenRows.OfText(r, encoder, boundary), window))];

    /// <summary>Conversations, in order.</summary>
    /// <exception cref="DataException">ATT3020: rows are longer than the window, and the policy is to refuse that.</exception>
    public static List<TokenRow> OfConversations(IEnumerable<ConversationRow> rows, RenderTokens render, int window, OverlongRows overlong, RowTally tally) =>
        Fit(rows.Select(r => TokenRows.OfConversation(r, render)), r => r.Ids.Length, (r, n) => r.Cut(n), r => [r], window, overlong, tally);

    /// <summary>Labelled conversations, in order, with their labels.</summary>
    /// <inheritdoc cref="OfConversations"/>
    public static List<(TokenRow Row, bool Desirable)> OfLabelled(IEnumerable<LabelledRow> rows, RenderTokens render, int window, OverlongRows overlong, RowTally tally) =>
        Fit(rows.Select(r => (Row: TokenRows.OfLabelled(r, render), r.Desirable)), r => r.Row.Ids.Length, (r, n) => (r.Row.Cut(n), r.Desirable), r => [r.Row], window, overlong, tally);

    /// <summary>Pairs, in order. A pair is as long as its longer row, and is cut, dropped or kept as one.</summary>
    /// <inheritdoc cref="OfConversations"/>
    public static List<PairRow> OfPreferences(IEnumerable<PreferenceRow> rows, RenderTokens render, int window, OverlongRows overlong, RowTally tally) =>
        Fit(rows.Select(r => TokenRows.OfPreference(r, render)), r => Math.Max(r.Chosen.Ids.Length, r.Rejected.Ids.Length), Cut, r => [r.Chosen, r.Rejected], window, overlong, tally, r => r.PromptLength);

    /// <summary>Rankings, in order. A ranking is as long as its longest row, and is cut, dropped or kept as one.</summary>
    /// <inheritdoc cref="OfConversations"/>
    public static List<ListRow> OfRankings(IEnumerable<RankingRow> rows, RenderTokens render, int window, OverlongRows overlong, RowTally tally) =>
        Fit(rows.Select(r => TokenRows.OfRanking(r, render)), r => r.Rows.Max(row => row.Ids.Length), Cut, r => [.. r.Rows], window, overlong, tally, r => r.PromptLength);

    private static ListRow Cut(ListRow list, int tokens) => list with
    {
        Rows = [.. list.Rows.Select(r => r.Cut(Math.Min(tokens, r.Ids.Length)))],
        PromptLength = Math.Min(tokens, list.PromptLength),
    };

    private static PairRow Cut(PairRow pair, int tokens) => pair with
    {
        Chosen = pair.Chosen.Cut(Math.Min(tokens, pair.Chosen.Ids.Length)),
        Rejected = pair.Rejected.Cut(Math.Min(tokens, pair.Rejected.Ids.Length)),
        PromptLength = Math.Min(tokens, pair.PromptLength),
    };

    private static List<T> Fit<T>(IEnumerable<T> rows, Func<T, int> length, Func<T, int, T> cut, Func<T, TokenRow[]> parts, int window, OverlongRows overlong, RowTally tally, Func<T, int>? prompt = null)
    {
        var kept = new List<T>();
        var (read, tooLong, longest, first) = (0, 0, 0, (RowOrigin?)null);
        foreach (var whole in rows)
        {
            read++;
            var row = whole;
            if (length(row) > window)
            {
                (tooLong, longest, first) = (tooLong + 1, Math.Max(longest, length(row)), first ?? parts(row)[0].Origin);
                if (overlong == OverlongRows.Drop)
                    tally.Drop(prompt?.Invoke(row) >= window ? PromptTooLong : TooLong, parts(row)[0].Origin);
                if (overlong != OverlongRows.Truncate)
                    continue;
                row = cut(whole, window);
            }
            if (parts(row).Any(p => p.TrainedTokens == 0))
            {
                tally.Mask(length(whole) <= window ? NothingTrained : prompt?.Invoke(whole) >= window ? PromptTooLong : NoCompletion, parts(row)[0].Origin);
                continue;
            }
            if (length(whole) > window)
                tally.Truncate(TooLong, parts(row)[0].Origin);
            kept.Add(row);
        }
        return tooLong > 0 && overlong == OverlongRows.Error
            ? throw DataException.Overlong(first!.File, first.Line, tooLong, read, longest, window)
            : kept;
    }
}
