using Attune.Core.Data;
using Attune.Torch.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Losses;

/// <summary>From one log-probability a token to one a row, in a batch of rows laid end to end.</summary>
public static class RowSums
{
    /// <param name="logProbs_N">ln p of each target, 0 where a position has none.</param>
    /// <param name="batch">The batch that they belong to, of S rows.</param>
    /// <returns>Σ ln p of each row, S.</returns>
    public static Tensor Of(Tensor logProbs_N, RaggedBatch batch)
    {
        using var scope = NewDisposeScope();
        var rows_N = new long[batch.Tokens];
        for (var r = 0; r < batch.Rows; r++)
            rows_N.AsSpan(batch.Starts[r]..batch.Starts[r + 1]).Fill(r);
        return zeros(batch.Rows, dtype: logProbs_N.dtype, device: logProbs_N.device)
            .AddAt(tensor(rows_N, device: logProbs_N.device), logProbs_N)
            .MoveToOuterDisposeScope();
    }

    /// <summary>How many targets each row has, S.</summary>
    public static int[] Targets(RaggedBatch batch)
    {
        var counts = new int[batch.Rows];
        for (var r = 0; r < batch.Rows; r++)
            counts[r] = batch.Targets.AsSpan(batch.Starts[r]..batch.Starts[r + 1]).Length
                - batch.Targets.AsSpan(batch.Starts[r]..batch.Starts[r + 1]).Count(RaggedBatch.Ignore);
        return counts;
    }
}
