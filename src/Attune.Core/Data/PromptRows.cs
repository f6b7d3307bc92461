using Attune.Prompts;

namespace Attune.Core.Data;

/// <summary>A prompt as the model sees it, up to the opening of the assistant's turn.</summary>
/// <param name="Row">What was read.</param>
/// <param name="Ids">Token ids.</param>
public sealed record PromptTokens(PromptRow Row, int[] Ids);

/// <summary>Prompts made ready for sampling.</summary>
public static class PromptRows
{
    private const string TooLong = "prompt leaves no room for an answer";

    /// <summary>
    /// Prompts through their template, in order. A prompt is never cut, for half a question is another question: one that is
    /// too long is an error or, where rows may be dropped or cut, dropped and counted.
    /// </summary>
    /// <param name="rows">The prompts.</param>
    /// <param name="render">The contract, for generation.</param>
    /// <param name="room">The longest prompt, tokens.</param>
    /// <param name="overlong">What becomes of longer ones.</param>
    /// <param name="tally">Counts them.</param>
    /// <exception cref="DataException">ATT3020: prompts are too long, and the policy is to refuse that.</exception>
    public static List<PromptTokens> Of(IEnumerable<PromptRow> rows, RenderTokens render, int room, OverlongRows overlong, RowTally tally)
    {
        var kept = new List<PromptTokens>();
        var (read, tooLong, longest, first) = (0, 0, 0, (RowOrigin?)null);
        foreach (var row in rows)
        {
            read++;
            var ids = render(row.Prompt).Ids.ToArray();
            if (ids.Length <= room)
            {
                kept.Add(new PromptTokens(row, ids));
                continue;
            }
            (tooLong, longest, first) = (tooLong + 1, Math.Max(longest, ids.Length), first ?? row.Origin);
            tally.Drop(TooLong, row.Origin);
        }
        return tooLong > 0 && overlong == OverlongRows.Error
            ? throw DataException.Overlong(first!.File, first.Line, tooLong, read, longest, Math.Max(0, room))
            : kept;
    }
}
