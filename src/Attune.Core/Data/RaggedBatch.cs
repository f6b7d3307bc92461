namespace Attune.Core.Data;

/// <summary>
/// A batch without padding: rows of different lengths laid end to end in one flat stream of N tokens.
/// Attention never crosses a row's edge and positions restart at each row, so packing several short
/// documents together changes no result. Every stage, evaluation and scorer runs on this one form.
/// </summary>
public sealed class RaggedBatch
{
    /// <summary>The label of a position that takes no part in the loss.</summary>
    public const int Ignore = -100;

    /// <summary>Token ids, N.</summary>
    public required int[] Ids { get; init; }

    /// <summary>
    /// Labels, N, already shifted: Targets[i] is the token that position i must predict (the id at i + 1 of the
    /// same row), or <see cref="Ignore"/>.
    /// </summary>
    public required int[] Targets { get; init; }

    /// <summary>Rotary positions, N, from zero in each row.</summary>
    public required int[] Positions { get; init; }

    /// <summary>Where each row starts, with N at the end: S + 1 numbers for S rows.</summary>
    public required int[] Starts { get; init; }

    /// <summary>
    /// For each row the tokens of an earlier row that stand before it, as if they were its own: where they start in the
    /// stream, and how many there are. What two completions of one prompt share is so computed once. Null where no row has
    /// any.
    /// </summary>
    public IReadOnlyList<(int Start, int Length)>? Prefixes { get; init; }

    /// <summary>N: real tokens in the batch.</summary>
    public int Tokens => Ids.Length;

    /// <summary>S: rows in the batch.</summary>
    public int Rows => Starts.Length - 1;

    /// <summary>Lays rows end to end. A token is a target where its flag in <paramref name="trained"/> is set (never the first of a row).</summary>
    /// <param name="rows">Token ids of each row, without those of its prefix.</param>
    /// <param name="trained">Flags, or null for all.</param>
    /// <param name="prefixes">For each row the earlier row whose first tokens stand before it, and how many; or null.</param>
    public static RaggedBatch Of(IReadOnlyList<int[]> rows, IReadOnlyList<bool[]>? trained = null, IReadOnlyList<(int Row, int Length)>? prefixes = null)
    {
        var starts = new int[rows.Count + 1];
        for (var r = 0; r < rows.Count; r++)
            starts[r + 1] = starts[r] + rows[r].Length;

        var total = starts[^1];
        var (ids, targets, positions) = (new int[total], new int[total], new int[total]);
        Array.Fill(targets, Ignore);
        for (var r = 0; r < rows.Count; r++)
        {
            var row = rows[r];
            row.CopyTo(ids, starts[r]);
            for (var i = 0; i < row.Length; i++)
            {
                positions[starts[r] + i] = (prefixes?[r].Length ?? 0) + i;
                if (i + 1 < row.Length && (trained is null || trained[r][i + 1]))
                    targets[starts[r] + i] = row[i + 1];
            }
        }
        return new RaggedBatch { Ids = ids, Targets = targets, Positions = positions, Starts = starts, Prefixes = prefixes is null || prefixes.All(p => p.Length == 0) ? null : [.. prefixes.Select(p => (p.Length == 0 ? 0 : starts[p.Row], p.Length))] };
    }

    /// <summary>The same rows, with the prefix of some laid down again before them, for where it must not be computed once.</summary>
    /// <param name="apart">Whether a row gets a prefix of its own, by its number.</param>
    /// <returns>The batch, whose repeated tokens are no targets, and where in it each token of this one is.</returns>
    public (RaggedBatch Batch, int[] Places) Unshared(Func<int, bool> apart)
    {
        var (from, targets, places) = (new List<int>(), new List<int>(), new int[Tokens]);
        var (starts, prefixes) = (new int[Rows + 1], new (int Start, int Length)[Rows]);
        for (var r = 0; r < Rows; r++)
        {
            starts[r] = from.Count;
            var prefix = Prefixes?[r] ?? default;
            if (prefix.Length > 0 && !apart(r))
                prefixes[r] = (places[prefix.Start], prefix.Length);
            else
            {
                from.AddRange(Enumerable.Range(prefix.Start, prefix.Length));
                targets.AddRange(Enumerable.Repeat(Ignore, prefix.Length));
            }
            for (var i = Starts[r]; i < Starts[r + 1]; i++)
            {
                places[i] = from.Count;
                from.Add(i);
                targets.Add(Targets[i]);
            }
        }
        starts[Rows] = from.Count;
        return (new RaggedBatch
        {
            Ids = [.. from.Select(i => Ids[i])],
            Targets = [.. targets],
            Positions = [.. from.Select(i => Positions[i])],
            Starts = starts,
            Prefixes = Array.TrueForAll(prefixes, p => p.Length == 0) ? null : prefixes,
        }, places);
    }
}
