using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Torch.Models;

namespace Attune.Torch.Stages;

/// <summary>
/// What the reference gives every completion, computed once and kept in the run folder under the hash of all that decides
/// it, so that a resumed run takes it from there and never one of other data or another reference (trl#1962).
/// </summary>
/// <param name="runFolder">Where the scores are kept.</param>
/// <param name="reference">The reference: the policy before its first step.</param>
public sealed class ReferenceScores(string runFolder, Decoder reference)
{
    // Rows of one pass, by tokens: large enough for the matrix products, small enough for memory.
    private const int PassTokens = 4096;

    private readonly Lazy<byte[]> _weights = new(() => HashOf(reference));

    /// <summary>Σ ln p of the chosen and the rejected completion of each pair in turn: 2P numbers.</summary>
    public IReadOnlyList<float> Of(IReadOnlyList<PairRow> pairs, StageContext context) =>
        Of([.. pairs.SelectMany(p => new[] { p.Chosen, p.Rejected })], context);

    /// <summary>Σ ln p of the trained tokens of each row.</summary>
    public IReadOnlyList<float> Of(IReadOnlyList<TokenRow> rows, StageContext context)
    {
        if (rows.Count == 0)
            return [];
        var path = Path.Combine(runFolder, $"reference-{Key(rows)[..16]}.safetensors");
        var scores = new float[rows.Count];
        if (File.Exists(path))
        {
            using var kept = SafetensorsFile.Open(path);
            kept.ReadFloats("scores", scores);
            return scores;
        }

        var longest = rows.Max(r => r.Ids.Length);
        foreach (var bin in Packer.BestFit([.. rows.Select(r => r.Ids.Length)], Math.Max(PassTokens, longest)))
        {
            context.Cancellation.ThrowIfCancellationRequested();
            var sums = DpoStep.Score(reference, Batches.Of(rows, bin));
            for (var i = 0; i < bin.Length; i++)
                scores[bin[i]] = sums[i];
        }
        SafetensorsWriter.Write(path, [TensorSource.Of("scores", [scores.Length], scores)]);
        return scores;
    }

    private string Key(IReadOnlyList<TokenRow> rows)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(_weights.Value);
        foreach (var row in rows)
        {
            hash.AppendData(BitConverter.GetBytes(row.Ids.Length));
            hash.AppendData(MemoryMarshal.AsBytes<int>(row.Ids));
            hash.AppendData(MemoryMarshal.AsBytes<bool>(row.Trained));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static byte[] HashOf(Decoder decoder)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (_, value) in decoder.Weights())
            hash.AppendData(value.bytes);
        return hash.GetHashAndReset();
    }
}
