using System.Runtime.InteropServices;
using Attune.Core.Randomness;

namespace Attune.Core.Data;

/// <summary>
/// Finds rows with nearly the same words: MinHash signatures of five-word shingles (Broder, <em>On the resemblance and
/// containment of documents</em>, 1997) in 16 bands of 4 hashes, then the Jaccard similarity of every pair that shares a
/// band. A pair of similarity 0.8 is met with probability 1 − (1 − 0.8⁴)¹⁶ = 0.9998; one of 0.5 with 0.64.
/// </summary>
internal sealed class NearDuplicates
{
    private const int Shingle = 5, Bands = 16, HashesPerBand = 4;

    // The least hashes of a row's shingles: of short rows all of them, of long ones a sample as good as random.
    private const int Sketch = 512;

    // Boilerplate puts many unlike rows into one bucket: a row is compared with so many of it at most.
    private const int BucketSize = 64;

    private readonly ulong[] _keys;
    private readonly double _threshold;
    private readonly Dictionary<(int Band, ulong Hash), List<int>> _buckets = [];
    private readonly List<ulong[]> _sketches = [];

    public NearDuplicates(long seed, double threshold)
    {
        var random = RandomStream.Of(seed, "data inspect", "minhash");
        _keys = [.. Enumerable.Range(0, Bands * HashesPerBand).Select(_ => random.NextBits())];
        _threshold = threshold;
    }

    /// <summary>Adds a row and gives the most similar earlier one that is near enough, by the order in which rows were added.</summary>
    public (int Row, double Similarity)? Add(List<(ulong Hash, int Start, int Length)> words)
    {
        var shingles = Shingles(words);
        var row = _sketches.Count;
        _sketches.Add(shingles.Length > Sketch ? shingles[..Sketch] : shingles);
        if (shingles.Length == 0)
            return null;

        var (best, seen) = (((int Row, double Similarity)?)null, new HashSet<int>());
        Span<ulong> least = stackalloc ulong[Bands * HashesPerBand];
        MinHashes(shingles, least);
        for (var band = 0; band < Bands; band++)
        {
            var hash = 0UL;
            foreach (var value in least.Slice(band * HashesPerBand, HashesPerBand))
                hash = Words.Mix(hash ^ value);
            ref var bucket = ref CollectionsMarshal.GetValueRefOrAddDefault(_buckets, (band, hash), out _);
            bucket ??= [];
            foreach (var other in bucket)
            {
                if (seen.Add(other) && Similarity(_sketches[row], _sketches[other]) is var similarity && similarity >= _threshold && similarity > (best?.Similarity ?? 0))
                    best = (other, similarity);
            }
            if (bucket.Count < BucketSize)
                bucket.Add(row);
        }
        return best;
    }

    /// <summary>Jaccard similarity of two sorted sets; of two sketches, its estimate over the least hashes of the union.</summary>
    internal static double Similarity(ulong[] a, ulong[] b)
    {
        var limit = a.Length == Sketch || b.Length == Sketch ? Sketch : int.MaxValue;
        var (i, j, union, shared) = (0, 0, 0, 0);
        while (union < limit && (i < a.Length || j < b.Length))
        {
            var takeA = j == b.Length || (i < a.Length && a[i] <= b[j]);
            var takeB = i == a.Length || (j < b.Length && b[j] <= a[i]);
            (i, j) = (i + (takeA ? 1 : 0), j + (takeB ? 1 : 0));
            shared += takeA && takeB ? 1 : 0;
            union++;
        }
        return union == 0 ? 0 : (double)shared / union;
    }

    /// <summary>Hashes of the runs of five words, sorted, each once. Shorter texts are one shingle.</summary>
    internal static ulong[] Shingles(List<(ulong Hash, int Start, int Length)> words)
    {
        if (words.Count == 0)
            return [];
        var hashes = new ulong[Math.Max(1, words.Count - Shingle + 1)];
        for (var i = 0; i < hashes.Length; i++)
        {
            for (var k = i; k < Math.Min(i + Shingle, words.Count); k++)
                hashes[i] = Words.Mix(hashes[i] + words[k].Hash);
        }
        Array.Sort(hashes);
        var distinct = 1;
        for (var i = 1; i < hashes.Length; i++)
        {
            if (hashes[i] != hashes[distinct - 1])
                hashes[distinct++] = hashes[i];
        }
        return hashes[..distinct];
    }

    private void MinHashes(ulong[] shingles, Span<ulong> least)
    {
        least.Fill(ulong.MaxValue);
        foreach (var shingle in shingles)
        {
            for (var k = 0; k < least.Length; k++)
                least[k] = Math.Min(least[k], Words.Mix(shingle ^ _keys[k]));
        }
    }
}
