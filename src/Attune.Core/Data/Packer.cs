namespace Attune.Core.Data;

/// <summary>A stretch of a row: what a packed window holds of it.</summary>
/// <param name="Row">Index of the row.</param>
/// <param name="Start">Its first token in the window.</param>
/// <param name="Length">How many tokens of it are in the window.</param>
public readonly record struct RowPiece(int Row, int Start, int Length);

/// <summary>
/// Puts rows of different lengths together into windows of at most T tokens. In a packed window each row keeps its own
/// positions and sees only itself (<see cref="RaggedBatch"/>), so packing changes speed, not results.
/// </summary>
public static class Packer
{
    /// <summary>
    /// Best-fit decreasing: the longest row first, each into the fullest window that still has room for it. Never more
    /// than 11/9 of the least possible number of windows, plus one; on text it is within a few in a thousand. Rows of one
    /// length keep their order, so the result is a function of the lengths alone.
    /// </summary>
    /// <param name="lengths">Tokens of each row, at most <paramref name="window"/>.</param>
    /// <param name="window">T.</param>
    /// <returns>The windows, each the indices of its rows.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A row is longer than the window: the overlong policy comes before packing.</exception>
    public static List<int[]> BestFit(ReadOnlySpan<int> lengths, int window)
    {
        var byRoom = new RoomTree(window);
        var bins = new List<List<int>>();
        foreach (var row in LongestFirst(lengths, window))
        {
            var length = lengths[row];
            if (byRoom.Take(length) is not (var room, var bin))
            {
                (room, bin) = (window, bins.Count);
                bins.Add([]);
            }
            bins[bin].Add(row);
            byRoom.Put(room - length, bin);
        }
        return [.. bins.Select(b => b.ToArray())];
    }

    /// <summary>Keeps the order of the rows: a new window begins where the next row has no room. For curricula.</summary>
    /// <inheritdoc cref="BestFit"/>
    public static List<int[]> InOrder(ReadOnlySpan<int> lengths, int window)
    {
        var (bins, open, used) = (new List<int[]>(), new List<int>(), 0);
        for (var row = 0; row < lengths.Length; row++)
        {
            RefuseLonger(lengths[row], window);
            if (used + lengths[row] > window)
            {
                bins.Add([.. open]);
                open.Clear();
                used = 0;
            }
            open.Add(row);
            used += lengths[row];
        }
        if (open.Count > 0)
            bins.Add([.. open]);
        return bins;
    }

    /// <summary>Best fit of rows of any length: longer ones are split at multiples of the window first, so no token is lost.</summary>
    public static List<RowPiece[]> BestFitSplit(ReadOnlySpan<int> lengths, int window)
    {
        var pieces = new List<RowPiece>();
        for (var row = 0; row < lengths.Length; row++)
        {
            for (var start = 0; start < lengths[row]; start += window)
                pieces.Add(new RowPiece(row, start, Math.Min(window, lengths[row] - start)));
        }
        return [.. BestFit([.. pieces.Select(p => p.Length)], window).Select(bin => bin.Select(p => pieces[p]).ToArray())];
    }

    /// <summary>Fills every window but the last to the brim, in order, and cuts rows wherever that falls.</summary>
    public static List<RowPiece[]> Wrapped(ReadOnlySpan<int> lengths, int window)
    {
        var (bins, open, used) = (new List<RowPiece[]>(), new List<RowPiece>(), 0);
        for (var row = 0; row < lengths.Length; row++)
        {
            for (var start = 0; start < lengths[row];)
            {
                var take = Math.Min(window - used, lengths[row] - start);
                open.Add(new RowPiece(row, start, take));
                (start, used) = (start + take, used + take);
                if (used < window)
                    continue;
                bins.Add([.. open]);
                open.Clear();
                used = 0;
            }
        }
        if (open.Count > 0)
            bins.Add([.. open]);
        return bins;
    }

    // Counting sort: stable, and linear in rows and window.
    private static int[] LongestFirst(ReadOnlySpan<int> lengths, int window)
    {
        var starts = new int[window + 2];
        foreach (var length in lengths)
        {
            RefuseLonger(length, window);
            starts[window - length + 1]++;
        }
        for (var i = 1; i < starts.Length; i++)
            starts[i] += starts[i - 1];
        var order = new int[lengths.Length];
        for (var row = 0; row < lengths.Length; row++)
            order[starts[window - lengths[row]]++] = row;
        return order;
    }

    private static void RefuseLonger(int length, int window)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(length, 1, nameof(length));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, window, nameof(length));
    }

    /// <summary>Open windows by the room they have left: a binary tree over rooms 0…T whose nodes count the windows below them.</summary>
    private sealed class RoomTree(int window)
    {
        private readonly int _leaves = (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)window + 1);
        private readonly int[] _counts = new int[2 * (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)window + 1)];
        private readonly Queue<int>?[] _bins = new Queue<int>?[window + 1];

        public void Put(int room, int bin)
        {
            (_bins[room] ??= new Queue<int>()).Enqueue(bin);
            for (var node = _leaves + room; node > 0; node /= 2)
                _counts[node]++;
        }

        /// <summary>Takes out the window with the least room that is at least <paramref name="need"/>, the oldest of them.</summary>
        public (int Room, int Bin)? Take(int need)
        {
            var node = _leaves + need;
            // Up until a right neighbour has windows, then down its left side.
            if (_counts[node] == 0)
            {
                while (node > 1 && (node % 2 == 1 || _counts[node + 1] == 0))
                    node /= 2;
                if (node <= 1)
                    return null;
                for (node++; node < _leaves;)
                    node = _counts[2 * node] > 0 ? 2 * node : 2 * node + 1;
            }
            var room = node - _leaves;
            for (; node > 0; node /= 2)
                _counts[node]--;
            return (room, _bins[room]!.Dequeue());
        }
    }
}
