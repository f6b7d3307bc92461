using Attune.Core.Randomness;

namespace Attune.Core.Data;

/// <summary>In which order an epoch goes through the rows.</summary>
public enum RowOrder
{
    /// <summary>A new random order in each epoch, from the seed; rows are packed by best fit.</summary>
    Shuffle,

    /// <summary>The order of the files in each epoch: a curriculum survives.</summary>
    File,
}

/// <summary>Where a run stands in its data: all that a checkpoint keeps of it.</summary>
/// <param name="Epoch">From zero.</param>
/// <param name="Batch">The next micro-batch of the epoch, from zero.</param>
public readonly record struct BatchCursor(int Epoch, int Batch);

/// <summary>
/// The sequence of micro-batches of a run, as indices of rows: a function of lengths, seed and order, so that a run
/// which resumes from a <see cref="BatchCursor"/> goes on exactly as if it had never stopped.
/// </summary>
public sealed class BatchPlan
{
    private readonly int[] _lengths;
    private readonly int _capacity;
    private readonly bool _byRows;
    private readonly long _seed;
    private readonly string _stage;
    private readonly RowOrder _order;
    private (int Epoch, List<int[]> Batches) _made = (-1, []);

    private BatchPlan(int[] lengths, int capacity, bool byRows, long seed, string stage, RowOrder order)
    {
        if (lengths.Length == 0)
            throw DataException.NoSignal("There is no row to train on.", "Look at what the preflight says was dropped.");
        (_lengths, _capacity, _byRows, _seed, _stage, _order) = (lengths, capacity, byRows, seed, stage, order);
    }

    /// <summary>Micro-batches of at most <paramref name="tokens"/> tokens each, packed.</summary>
    /// <param name="lengths">Tokens of each row, at most <paramref name="tokens"/>.</param>
    /// <param name="tokens">Most tokens of a micro-batch.</param>
    /// <param name="seed">The run's seed.</param>
    /// <param name="stage">The stage's name: a part of the random stream's.</param>
    /// <param name="order">Shuffled or as in the files.</param>
    /// <exception cref="DataException">ATT3030: there is no row.</exception>
    public static BatchPlan ByTokens(IEnumerable<int> lengths, int tokens, long seed, string stage, RowOrder order = RowOrder.Shuffle) =>
        new([.. lengths], tokens, byRows: false, seed, stage, order);

    /// <summary>Micro-batches of <paramref name="batchRows"/> rows (or pairs) each; the last of an epoch may have fewer.</summary>
    /// <inheritdoc cref="ByTokens"/>
    public static BatchPlan ByRows(int rows, int batchRows, long seed, string stage, RowOrder order = RowOrder.Shuffle) =>
        new(new int[rows], batchRows, byRows: true, seed, stage, order);

    /// <summary>How many micro-batches an epoch has.</summary>
    public int BatchesIn(int epoch) => Epoch(epoch).Count;

    /// <summary>The rows of the micro-batch at the cursor.</summary>
    public int[] RowsAt(BatchCursor cursor) => Epoch(cursor.Epoch)[cursor.Batch];

    /// <summary>The cursor after this one; the next epoch's start after the last of an epoch.</summary>
    public BatchCursor Next(BatchCursor cursor) => cursor.Batch + 1 < Epoch(cursor.Epoch).Count
        ? cursor with { Batch = cursor.Batch + 1 }
        : new BatchCursor(cursor.Epoch + 1, 0);

    private List<int[]> Epoch(int epoch)
    {
        if (_made.Epoch != epoch)
            _made = (epoch, Make(epoch));
        return _made.Batches;
    }

    private List<int[]> Make(int epoch)
    {
        if (_order == RowOrder.File)
            return _byRows ? Chunks([.. Enumerable.Range(0, _lengths.Length)]) : Packer.InOrder(_lengths, _capacity);

        var random = RandomStream.Of(_seed, _stage, FormattableString.Invariant($"order of epoch {epoch}"));
        var rows = Enumerable.Range(0, _lengths.Length).ToArray();
        random.Shuffle<int>(rows);
        if (_byRows)
            return Chunks(rows);

        // Rows of one length are taken in their shuffled order, so other rows meet in each epoch; best fit starts with
        // the longest, hence the second shuffle.
        var lengths = rows.Select(r => _lengths[r]).ToArray();
        var bins = Packer.BestFit(lengths, _capacity).Select(bin => bin.Select(i => rows[i]).ToArray()).ToArray();
        random.Shuffle<int[]>(bins);
        return [.. bins];
    }

    private List<int[]> Chunks(int[] rows) => [.. rows.Chunk(_capacity)];
}

/// <summary>Rows by index → the batch that a stage runs.</summary>
public static class Batches
{
    /// <summary>Token rows, end to end.</summary>
    public static RaggedBatch Of(IReadOnlyList<TokenRow> rows, ReadOnlySpan<int> indices)
    {
        var (ids, trained) = (new List<int[]>(indices.Length), new List<bool[]>(indices.Length));
        foreach (var i in indices)
        {
            ids.Add(rows[i].Ids);
            trained.Add(rows[i].Trained);
        }
        return RaggedBatch.Of(ids, trained);
    }

    /// <summary>P pairs as 2P rows: the chosen ones first, then the rejected ones, in the same order.</summary>
    /// <param name="pairs">The pairs.</param>
    /// <param name="indices">Which.</param>
    /// <param name="share">
    /// Whether the prompt of a pair is laid down once, with the chosen row. Its last token stands in both rows, for what
    /// follows it there is predicted from it.
    /// </param>
    public static RaggedBatch OfPairs(IReadOnlyList<PairRow> pairs, ReadOnlySpan<int> indices, bool share = false)
    {
        var count = indices.Length;
        var (rows, prefixes) = (new TokenRow[2 * count], new (int Row, int Length)[2 * count]);
        for (var i = 0; i < count; i++)
        {
            var pair = pairs[indices[i]];
            var prefix = share ? Math.Max(0, Math.Min(pair.PromptLength, pair.Rejected.Ids.Length) - 1) : 0;
            (rows[i], rows[count + i]) = (pair.Chosen, pair.Rejected with { Ids = pair.Rejected.Ids[prefix..], Trained = pair.Rejected.Trained[prefix..] });
            prefixes[count + i] = (i, prefix);
        }
        return RaggedBatch.Of([.. rows.Select(r => r.Ids)], [.. rows.Select(r => r.Trained)], prefixes);
    }

    /// <summary>Rankings end to end, each with its prompt laid down once; where each ranking starts among the rows, with their number at the end.</summary>
    /// <param name="lists">The rankings.</param>
    /// <param name="indices">Which.</param>
    /// <param name="keepLast">Tokens at the prompt's end that stand in every row: 1 where what follows is predicted from it, else 0.</param>
    public static (RaggedBatch Rows, int[] Starts) OfRankings(IReadOnlyList<ListRow> lists, ReadOnlySpan<int> indices, int keepLast)
    {
        var (ids, trained, prefixes, starts) = (new List<int[]>(), new List<bool[]>(), new List<(int Row, int Length)>(), new List<int> { 0 });
        foreach (var i in indices)
        {
            foreach (var row in lists[i].Rows)
            {
                var prefix = ids.Count == starts[^1] ? 0 : Math.Max(0, Math.Min(lists[i].PromptLength - keepLast, row.Ids.Length - 1));
                prefixes.Add((starts[^1], prefix));
                ids.Add(row.Ids[prefix..]);
                trained.Add(row.Trained[prefix..]);
            }
            starts.Add(ids.Count);
        }
        return (RaggedBatch.Of(ids, trained, prefixes), [.. starts]);
    }
}
