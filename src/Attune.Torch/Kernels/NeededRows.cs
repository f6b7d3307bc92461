using Attune.Core.Data;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Kernels;

/// <summary>
/// The M tokens of a batch whose last hidden states anyone reads: those with a label. What the last block does behind
/// attention concerns one token alone, so there it is done for these only.
/// </summary>
internal sealed unsafe class NeededRows(int[] rows)
{
    // Where nearly all are read, picking them costs more than it saves.
    private const double Most = 0.9;

    /// <summary>M.</summary>
    public int Count => rows.Length;

    /// <summary>The labelled tokens of a batch; null where nearly all have a label, or none has.</summary>
    public static NeededRows? Labelled(RaggedBatch batch)
    {
        int[] labelled = [.. Enumerable.Range(0, batch.Tokens).Where(i => batch.Targets[i] != RaggedBatch.Ignore)];
        return labelled.Length > 0 && labelled.Length < Most * batch.Tokens ? new(labelled) : null;
    }

    /// <summary>Their places as int64 [M].</summary>
    public Tensor Index(Device device) => tensor(Array.ConvertAll(rows, r => (long)r), device: device);

    /// <summary>A number for each of them, [M] → [tokens]; 0 for the others.</summary>
    public Tensor Spread(Tensor values_M, int tokens)
    {
        using var index_M = Index(values_M.device);
        return zeros(tokens, dtype: values_M.dtype, device: values_M.device).AddAt(index_M, values_M);
    }

    /// <summary>[N, width] → [count, width]: those from <paramref name="first"/> on.</summary>
    public void Gather(float* from, float* to, int first, int count, int width)
    {
        for (var i = 0; i < count; i++)
            Simd.Copy(from + (long)rows[first + i] * width, to + (long)i * width, width);
    }

    /// <summary>[count, width] → [N, width], at the places of those from <paramref name="first"/> on.</summary>
    public void Scatter(float* from, float* to, int first, int count, int width)
    {
        for (var i = 0; i < count; i++)
            Simd.Copy(from + (long)i * width, to + (long)rows[first + i] * width, width);
    }
}
