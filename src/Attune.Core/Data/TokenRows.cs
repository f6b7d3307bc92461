using Attune.Prompts;

namespace Attune.Core.Data;

/// <summary>Typed rows → token rows.</summary>
public static class TokenRows
{
    /// <summary>
    /// A document as boundary, text, boundary: the first boundary is what generation starts from, the last one is how a
    /// model learns to end. A piece of a longer document has only the boundaries that are its own. The text is encoded as
    /// ordinary text whatever it says. Every token is trained.
    /// </summary>
    /// <param name="row">The document.</param>
    /// <param name="encoder">The tokenizer.</param>
    /// <param name="boundary">Id of &lt;|endoftext|&gt;.</param>
    public static TokenRow OfText(TextRow row, ITokenEncoder encoder, int boundary)
    {
        var tokens = new List<EncodedToken>();
        encoder.Encode(row.Text, [new TextSpan(0, row.Text.Length)], tokens);
        var (before, after) = (row.Opens ? 1 : 0, row.Closes ? 1 : 0);
        var ids = new int[before + tokens.Count + after];
        for (var i = 0; i < tokens.Count; i++)
            ids[before + i] = tokens[i].Id;
        if (row.Opens)
            ids[0] = boundary;
        if (row.Closes)
            ids[^1] = boundary;
        return new TokenRow { Ids = ids, Trained = AllOf(ids.Length), Origin = row.Origin };
    }

    /// <summary>A conversation through its template: what the assistant says is trained, its end of turn included.</summary>
    public static TokenRow OfConversation(ConversationRow row, RenderTokens render) => Of(render(row.Conversation), row.Origin);

    /// <summary>A labelled conversation: only its last message (the labelled one) is trained.</summary>
    public static TokenRow OfLabelled(LabelledRow row, RenderTokens render)
    {
        var whole = Of(render(row.Conversation), row.Origin);
        return Completion(whole, StartOfCompletion(whole, 1));
    }

    /// <summary>
    /// A pair through its template. The completion is what the assistant says from the end of the prompt on, its end of
    /// turn included; the ids before it are the same in both rows.
    /// </summary>
    /// <exception cref="DataException">ATT3032: the template renders the prompt differently under the two completions, or marks no completion.</exception>
    public static PairRow OfPreference(PreferenceRow row, RenderTokens render)
    {
        var chosen = Of(render(PreferenceForms.With(row.Prompt, row.Chosen)), row.Origin);
        var rejected = Of(render(PreferenceForms.With(row.Prompt, row.Rejected)), row.Origin);
        var prompt = StartOfCompletion(chosen, Turns(row.Chosen));
        if (prompt != StartOfCompletion(rejected, Turns(row.Rejected)) || !chosen.Ids.AsSpan(0, prompt).SequenceEqual(rejected.Ids.AsSpan(0, prompt)))
            throw DataException.Boundary(row.Origin, "The prompt's tokens differ between chosen and rejected.");
        return new PairRow { Chosen = Completion(chosen, prompt), Rejected = Completion(rejected, prompt), PromptLength = prompt, Margin = row.Margin };
    }

    /// <summary>A ranking through its template, best first: each answer as in a pair.</summary>
    /// <exception cref="DataException">ATT3032, as for pairs.</exception>
    public static ListRow OfRanking(RankingRow row, RenderTokens render)
    {
        var order = row.BestFirst;
        var rows = order.Select(i => Of(render(PreferenceForms.With(row.Prompt, row.Responses[i])), row.Origin)).ToArray();
        var prompt = StartOfCompletion(rows[0], Turns(row.Responses[order[0]]));
        for (var i = 1; i < rows.Length; i++)
        {
            if (StartOfCompletion(rows[i], Turns(row.Responses[order[i]])) != prompt || !rows[i].Ids.AsSpan(0, prompt).SequenceEqual(rows[0].Ids.AsSpan(0, prompt)))
                throw DataException.Boundary(row.Origin, "The prompt's tokens differ between the answers.");
        }
        return new ListRow { Rows = [.. rows.Select(r => Completion(r, prompt))], Scores = [.. order.Select(i => row.Scores[i])], PromptLength = prompt };
    }

    /// <summary>
    /// A long row in windows. Each window but the first starts with the last token of the one before, as context that is
    /// not in the loss, so that every token is predicted exactly once.
    /// </summary>
    /// <param name="row">A row of n tokens.</param>
    /// <param name="window">The most tokens of a window, at least 2.</param>
    public static IEnumerable<TokenRow> Windows(TokenRow row, int window)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(window, 2);
        if (row.Ids.Length <= window)
        {
            yield return row;
            yield break;
        }
        for (var start = 0; start < row.Ids.Length - 1; start += window - 1)
        {
            var end = Math.Min(start + window, row.Ids.Length);
            yield return row with { Ids = row.Ids[start..end], Trained = row.Trained[start..end] };
        }
    }

    private static int Turns(IReadOnlyList<Message> completion) => completion.Count(m => m.Role == Data.Turns.Assistant);

    private static TokenRow Of(RenderedTokens rendered, RowOrigin origin) => rendered.Ids.Count == rendered.Trained.Count
        ? new TokenRow { Ids = [.. rendered.Ids], Trained = [.. rendered.Trained], Origin = origin }
        : throw DataException.Boundary(origin, "The template gave more or fewer flags than tokens.");

    // Each assistant message is one run of trained tokens: the completion starts with the last of them, or, with tool
    // calls inside it, with the last few.
    private static int StartOfCompletion(TokenRow row, int turns)
    {
        for (var i = row.Trained.Length - 1; i >= 0; i--)
        {
            if (row.Trained[i] && (i == 0 || !row.Trained[i - 1]) && --turns == 0)
                return i;
        }
        throw DataException.Boundary(row.Origin, "The template marks no completion: no token of it would be trained.");
    }

    private static TokenRow Completion(TokenRow row, int prompt)
    {
        var trained = row.Trained.ToArray();
        trained.AsSpan(0, prompt).Clear();
        return row with { Trained = trained };
    }

    private static bool[] AllOf(int count)
    {
        var flags = new bool[count];
        Array.Fill(flags, true);
        return flags;
    }
}
