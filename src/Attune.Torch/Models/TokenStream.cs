using Attune.Core.Data;
using Attune.Torch.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>
/// A <see cref="RaggedBatch"/> on a device: rows laid end to end, no padding. The batch itself stays at hand because
/// kernels on the CPU and loops over rows read where rows start without asking the device.
/// </summary>
public sealed class TokenStream : IDisposable
{
    private TokenStream(RaggedBatch batch, Device device)
    {
        Batch = batch;
        Plan = new RowPlan(batch);
        Ids_N = Upload(batch.Ids, device);
        Targets_N = Upload(batch.Targets, device);
        Positions_N = Upload(batch.Positions, device);
    }

    /// <summary>The batch in managed memory.</summary>
    public RaggedBatch Batch { get; }

    /// <summary>Token ids, int64 [N].</summary>
    public Tensor Ids_N { get; }

    /// <summary>Labels, int64 [N], <see cref="RaggedBatch.Ignore"/> where there is none.</summary>
    public Tensor Targets_N { get; }

    /// <summary>Rotary positions, int64 [N].</summary>
    public Tensor Positions_N { get; }

    /// <summary>The batch as the kernels see it.</summary>
    internal RowPlan Plan { get; }

    /// <summary>N.</summary>
    public int Tokens => Batch.Tokens;

    /// <summary>
    /// Puts a batch on a device (null is the CPU). The tensors belong to no dispose scope: whoever made the stream disposes it.
    /// </summary>
    /// <exception cref="TorchException">ATT5010: the batch has no tokens, an empty row, or parts of different lengths.</exception>
    public static TokenStream Of(RaggedBatch batch, Device? device = null)
    {
        if (batch.Tokens == 0 || batch.Targets.Length != batch.Tokens || batch.Positions.Length != batch.Tokens || batch.Starts is not [0, ..] || batch.Starts[^1] != batch.Tokens)
            throw TorchException.BrokenBatch();
        for (var row = 0; row < batch.Rows; row++)
        {
            if (batch.Starts[row + 1] <= batch.Starts[row])
                throw TorchException.BrokenBatch();
        }
        return new(batch, device ?? CPU);
    }

    /// <summary>Frees the tensors.</summary>
    public void Dispose()
    {
        Ids_N.Dispose();
        Targets_N.Dispose();
        Positions_N.Dispose();
    }

    private static Tensor Upload(int[] values, Device device)
    {
        using var narrow = tensor(values);
        return narrow.to(int64, device).DetachFromDisposeScope();
    }
}
