using Attune.Core.Data;
using Attune.Torch.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Losses;

/// <summary>The M target tokens of a batch, S rows end to end: what losses that look at single tokens work on.</summary>
public sealed class CompletionTokens : IDisposable
{
    private readonly Tensor _rows_M;
    private readonly Tensor _positions_M;

    private CompletionTokens(RaggedBatch batch, Device? device)
    {
        var (positions, rows, starts) = (new List<long>(batch.Tokens), new List<long>(batch.Tokens), new int[batch.Rows + 1]);
        for (var r = 0; r < batch.Rows; r++)
        {
            for (var i = batch.Starts[r]; i < batch.Starts[r + 1]; i++)
            {
                if (batch.Targets[i] == RaggedBatch.Ignore)
                    continue;
                positions.Add(i);
                rows.Add(r);
            }
            starts[r + 1] = positions.Count;
        }
        Starts = starts;
        _positions_M = tensor(positions, device: device).DetachFromDisposeScope();
        _rows_M = tensor(rows, device: device).DetachFromDisposeScope();
        Lengths_S = tensor([.. Enumerable.Range(0, batch.Rows).Select(r => (float)(starts[r + 1] - starts[r]))], device: device).DetachFromDisposeScope();
    }

    /// <summary>The targets of a batch, on a device (null is the CPU); whoever asks disposes them.</summary>
    public static CompletionTokens Of(RaggedBatch batch, Device? device = null) => new(batch, device);

    /// <summary>Where each row starts among the M, with M at the end.</summary>
    public int[] Starts { get; }

    /// <summary>M.</summary>
    public int Count => Starts[^1];

    /// <summary>S.</summary>
    public int Rows => Starts.Length - 1;

    /// <summary>Tokens of each row, float32 [S].</summary>
    public Tensor Lengths_S { get; }

    /// <summary>What belongs to the positions that predict the targets: [N] → [M].</summary>
    public Tensor Take(Tensor x_N) => x_N.index_select(0, _positions_M);

    /// <summary>A value of each row for each of its tokens: [S] → [M].</summary>
    public Tensor Spread(Tensor x_S) => x_S.index_select(0, _rows_M);

    /// <summary>Sums over the tokens of each row: [M] → [S].</summary>
    public Tensor Sums(Tensor x_M)
    {
        using var scope = NewDisposeScope();
        return zeros(Rows, dtype: x_M.dtype, device: x_M.device).AddAt(_rows_M, x_M).MoveToOuterDisposeScope();
    }

    /// <summary>Means over the tokens of each row: [M] → [S].</summary>
    public Tensor Means(Tensor x_M)
    {
        using var scope = NewDisposeScope();
        return (Sums(x_M) / Lengths_S.clamp(min: 1)).MoveToOuterDisposeScope();
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        _rows_M.Dispose();
        _positions_M.Dispose();
        Lengths_S.Dispose();
    }
}
