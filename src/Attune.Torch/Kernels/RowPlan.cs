using Attune.Core.Data;

namespace Attune.Torch.Kernels;

/// <summary>A batch as the kernels see it: where rows start, which position each token has, and the longest rows first.</summary>
internal sealed class RowPlan
{
    public RowPlan(RaggedBatch batch)
    {
        (Starts, Positions) = (batch.Starts, batch.Positions);
        LongestFirst = [.. Enumerable.Range(0, batch.Rows).OrderByDescending(r => Starts[r + 1] - Starts[r])];
        Longest = Starts[LongestFirst[0] + 1] - Starts[LongestFirst[0]];
        Reach = batch.Positions.Max() + 1;
    }

    public int[] Starts { get; }

    public int[] Positions { get; }

    /// <summary>Rows in the order in which attention takes them, so that the last piece of work is a short one.</summary>
    public int[] LongestFirst { get; }

    /// <summary>T of the longest row.</summary>
    public int Longest { get; }

    /// <summary>One more than the largest position.</summary>
    public int Reach { get; }
}
