using Attune.Core.Data;
using Attune.Core.Versions;
using Attune.Torch.Models;

namespace Attune.Torch.Stages;

/// <summary>What a version gives rows that it does not learn from: ln p of what is trained in each, without gradients.</summary>
public static class RowLogProbs
{
    // Rows of one pass, by tokens: large enough for the matrix products, small enough for memory.
    private const int PassTokens = 4096;

    /// <summary>Σ ln p over the trained tokens of each row, in nats, in order.</summary>
    /// <param name="files">The version.</param>
    /// <param name="rows">Rows of its tokenizer and contract.</param>
    /// <param name="cancel">Stops between passes.</param>
    public static float[] Sums(ModelFiles files, IReadOnlyList<TokenRow> rows, CancellationToken cancel = default)
    {
        var sums = new float[rows.Count];
        if (rows.Count == 0)
            return sums;
        using var decoder = DecoderFiles.Load(files);
        foreach (var bin in Packer.BestFit([.. rows.Select(r => r.Ids.Length)], Math.Max(PassTokens, rows.Max(r => r.Ids.Length))))
        {
            cancel.ThrowIfCancellationRequested();
            var scored = DpoStep.Score(decoder, RaggedBatch.Of([.. bin.Select(i => rows[i].Ids)], [.. bin.Select(i => rows[i].Trained)]));
            for (var i = 0; i < bin.Length; i++)
                sums[bin[i]] = scored[i];
        }
        return sums;
    }

    /// <summary>The same for a token of each row, the mean: rows of any length are alike.</summary>
    /// <inheritdoc cref="Sums"/>
    public static double[] Means(ModelFiles files, IReadOnlyList<TokenRow> rows, CancellationToken cancel = default) =>
        [.. Sums(files, rows, cancel).Zip(rows, (sum, row) => (double)sum / Math.Max(1, row.TrainedTokens))];
}
