using Attune.Prompts;

namespace Attune.Core.Data;

/// <summary>Whether training and inference see the same tokens before a completion.</summary>
/// <param name="Rows">Rows looked at.</param>
/// <param name="Different">Those where they differ.</param>
/// <param name="First">The first of these.</param>
/// <param name="Difference">What differs in it.</param>
public sealed record BoundaryReport(int Rows, int Different, RowOrigin? First, string? Difference);

/// <summary>
/// The check of the edge between prompt and completion. A tokenizer may merge the last letters of the prompt with the
/// first of the completion, or a template may write something else for a turn to come than for one that is there; then
/// the model is trained on prompts that it never meets again.
/// </summary>
public static class Boundary
{
    private const int RowsLooked = 200;
    private const int Shown = 12;

    /// <summary>Compares the first rows: the prompt rendered for generation must be the beginning of the whole row, and end where training begins.</summary>
    /// <param name="rows">Conversations; the last message of each is taken as the completion.</param>
    /// <param name="whole">Renders for training.</param>
    /// <param name="prompt">Renders with the generation prompt.</param>
    /// <param name="encoder">Shows the difference as text.</param>
    /// <exception cref="DataException">ATT3033: they differ in every row.</exception>
    public static BoundaryReport Check(IEnumerable<ConversationRow> rows, RenderTokens whole, RenderTokens prompt, ITokenEncoder encoder)
    {
        var report = new BoundaryReport(0, 0, null, null);
        foreach (var row in rows.Take(RowsLooked))
        {
            var before = row.Conversation with { Messages = [.. row.Conversation.Messages.SkipLast(1)] };
            var difference = Difference(whole(row.Conversation), [.. prompt(before).Ids], encoder);
            report = report with { Rows = report.Rows + 1 };
            if (difference is not null)
                report = new BoundaryReport(report.Rows, report.Different + 1, report.First ?? row.Origin, report.Difference ?? difference);
        }
        return report.Rows > 0 && report.Different == report.Rows ? throw DataException.InferenceBoundary(report) : report;
    }

    private static string? Difference(RenderedTokens whole, int[] prompt, ITokenEncoder encoder)
    {
        var same = 0;
        while (same < Math.Min(prompt.Length, whole.Ids.Count) && whole.Ids[same] == prompt[same])
            same++;
        if (same < prompt.Length)
            return $"after '{Around(whole.Ids, same - Shown, same, encoder)}' training has '{Around(whole.Ids, same, same + Shown, encoder)}' and inference '{Around(prompt, same, same + Shown, encoder)}'";

        // The last turn's training may start later (a template that adds an empty thought), never inside the prompt.
        var start = whole.Ids.Count;
        while (start > 0 && !whole.Trained[start - 1])
            start--;
        while (start > 0 && whole.Trained[start - 1])
            start--;
        return start < prompt.Length ? $"training starts at '{Around(whole.Ids, start, start + Shown, encoder)}', inside the prompt" : null;
    }

    private static string Around(IReadOnlyList<int> ids, int from, int to, ITokenEncoder encoder) =>
        encoder.Decode(ids.Skip(Math.Max(0, from)).Take(to - Math.Max(0, from)).ToArray()).ReplaceLineEndings("\\n");
}
