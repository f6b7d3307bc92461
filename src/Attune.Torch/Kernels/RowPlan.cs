using Attune.Core.Data;

namespace Attune.Torch.Kernels;

/// <summary>A row of the stream, with the tokens of an earlier row that stand before it.</summary>
/// <param name="Start">Its first token.</param>
/// <param name="Length">T.</param>
/// <param name="PrefixStart">First token of what stands before it.</param>
/// <param name="Prefix">Tokens of that.</param>
internal readonly record struct StreamRow(int Start, int Length, int PrefixStart, int Prefix)
{
    /// <summary>What the last token sees.</summary>
    public int Reach => Prefix + Length;
}

/// <summary>A batch as the kernels see it: where rows start, which position each token has, and the longest rows first.</summary>
internal sealed class RowPlan
{
    public RowPlan(RaggedBatch batch)
    {
        Positions = batch.Positions;
        var rows = Enumerable.Range(0, batch.Rows)
            .Select(r => batch.Prefixes?[r] is { Length: > 0 } p ? new StreamRow(batch.Starts[r], batch.Starts[r + 1] - batch.Starts[r], p.Start, p.Length) : new StreamRow(batch.Starts[r], batch.Starts[r + 1] - batch.Starts[r], 0, 0))
            .ToArray();
        LongestFirst = [.. rows.OrderByDescending(r => r.Reach)];
        Longest = LongestFirst[0].Reach;
        Families = [.. rows.GroupBy(r => r.Prefix > 0 ? r.PrefixStart : r.Start).Select(g => g.ToArray()).OrderByDescending(f => f.Sum(r => (long)r.Length * r.Reach))];
        Reach = batch.Positions.Max() + 1;
    }

    public int[] Positions { get; }

    /// <summary>Rows in the order in which attention takes them, so that the last piece of work is a short one.</summary>
    public StreamRow[] LongestFirst { get; }

    /// <summary>A row with those that it stands before, itself first: their gradients meet in it, so one thread takes them in turn.</summary>
    public StreamRow[][] Families { get; }

    /// <summary>Most that a token sees.</summary>
    public int Longest { get; }

    /// <summary>One more than the largest position.</summary>
    public int Reach { get; }
}
