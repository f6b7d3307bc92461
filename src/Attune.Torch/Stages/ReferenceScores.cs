using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Attune.Core.Checkpoints;
using Attune.Core.Data;
using Attune.Core.Versions;
using Attune.Torch.Models;
using static TorchSharp.torch;

namespace Attune.Torch.Stages;

/// <summary>
/// What the reference gives every completion, computed once and kept in the run folder under the hash of all that decides
/// it, so that a resumed run takes it from there and never one of other data or another reference (trl#1962).
/// </summary>
/// <param name="runFolder">Where the scores are kept.</param>
/// <param name="reference">The reference: the policy before its first step.</param>
/// <param name="time">The clock.</param>
public sealed class ReferenceScores(string runFolder, Decoder reference, TimeProvider time)
{
    // Rows of one pass, by tokens: large enough for the matrix products, small enough for memory.
    private const int PassTokens = 4096;

    private readonly Lazy<byte[]> _weights = new(() => HashOf(reference));

    /// <summary>Seconds that computing took; scores that were kept cost nothing again.</summary>
    public double Seconds { get; private set; }

    /// <summary>Σ ln p of the chosen and the rejected completion of each pair in turn: 2P numbers.</summary>
    public IReadOnlyList<float> Of(IReadOnlyList<PairRow> pairs, StageContext context) => Kept([.. pairs.SelectMany(p => new[] { p.Chosen, p.Rejected })], scores =>
    {
        foreach (var bin in Bins([.. pairs.Select(p => p.Tokens)]))
        {
            context.Cancellation.ThrowIfCancellationRequested();
            var sums = DpoStep.Score(reference, Batches.OfPairs(pairs, bin, share: true));
            for (var i = 0; i < bin.Length; i++)
                (scores[2 * bin[i]], scores[2 * bin[i] + 1]) = (sums[i], sums[bin.Length + i]);
        }
    });

    /// <summary>Σ ln p of the trained tokens of each row.</summary>
    public IReadOnlyList<float> Of(IReadOnlyList<TokenRow> rows, StageContext context) => Kept(rows, scores =>
    {
        foreach (var bin in Bins([.. rows.Select(r => r.Ids.Length)]))
        {
            context.Cancellation.ThrowIfCancellationRequested();
            var sums = DpoStep.Score(reference, Batches.Of(rows, bin));
            for (var i = 0; i < bin.Length; i++)
                scores[bin[i]] = sums[i];
        }
    });

    private static List<int[]> Bins(int[] lengths) => [.. Packer.BestFit(lengths, Math.Max(PassTokens, lengths.Max()))];

    private float[] Kept(IReadOnlyList<TokenRow> rows, Action<float[]> compute)
    {
        var scores = new float[rows.Count];
        if (rows.Count == 0)
            return scores;
        var path = Path.Combine(runFolder, $"reference-{Key(rows)[..16]}.safetensors");
        if (File.Exists(path))
        {
            using var kept = SafetensorsFile.Open(path);
            kept.ReadFloats("scores", scores);
            return scores;
        }
        var start = time.GetTimestamp();
        // Adapters that have not learnt anything change nothing; those that have would.
        using (reference.Lora?.Off())
            compute(scores);
        Seconds += time.GetElapsedTime(start).TotalSeconds;
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
        // Held matrices are told by the file that they come from and by the bits that they are held in.
        foreach (var (name, layer) in Lora.Modules(decoder).Where(m => m.Layer.Held is not null))
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes($"{name} {layer.Held!.Format}"));
        if (Lora.Modules(decoder).Any(m => m.Layer.Held is not null))
            hash.AppendData(System.Text.Encoding.UTF8.GetBytes(Digests.Sha256Of(decoder.Source!.Find(ModelFiles.Weights) ?? decoder.Source.Require(WeightFiles.Index))));
        foreach (var (_, value) in decoder.Weights())
        {
            using var scope = NewDisposeScope();
            hash.AppendData(value.detach().cpu().bytes);
        }
        return hash.GetHashAndReset();
    }
}
