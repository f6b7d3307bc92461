namespace Attune.Core.Data;

/// <summary>
/// An annotation file only ever grows: whoever takes an answer back adds a line that says so. What stands at its end is
/// what counts: the last line of each annotator on each task.
/// </summary>
internal static class AnnotationEvents
{
    public const string Ranked = "ranked", AllBad = "all_bad", Skipped = "skipped", Undone = "undone";

    private const string Superseded = "taken back or given anew later", WasSkipped = "skipped by the annotator";

    /// <summary>The records that stand, in the order of the file; the others are counted by reason.</summary>
    public static IEnumerable<JsonRow> Standing(IEnumerable<JsonRow> records, RowTally tally)
    {
        JsonRow[] all = [.. records];
        var last = new Dictionary<(string?, string?), int>();
        for (var i = 0; i < all.Length; i++)
            last[(all[i].Text("annotator"), all[i].Text("task"))] = i;
        for (var i = 0; i < all.Length; i++)
        {
            var (row, stands) = (all[i], last[(all[i].Text("annotator"), all[i].Text("task"))] == i);
            var what = row.Text("event");
            if (what is not (Ranked or AllBad or Skipped or Undone))
                throw row.Fail("ATT2402", $"There is no event '{what}'.", "event", $"Events are {Ranked}, {AllBad}, {Skipped} and {Undone}.");
            if (what == Undone)
                continue;
            if (stands && what != Skipped)
                yield return row;
            else
            {
                tally.Read++;
                tally.Drop(stands ? WasSkipped : Superseded, row.Origin);
            }
        }
    }
}
