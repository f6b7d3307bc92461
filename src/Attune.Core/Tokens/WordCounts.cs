using System.Runtime.InteropServices;

namespace Attune.Core.Tokens;

/// <summary>Words of a corpus with how often each is seen, counted by several threads in bounded memory.</summary>
internal static class WordCounts
{
    /// <summary>Texts are handed to threads in portions of this many characters; the same whatever the number of threads.</summary>
    private const int Portion = 1 << 18;
    private const int PortionsAtOnce = 32;

    /// <summary>A rare word longer than this is cut into pieces of this length before anything is dropped.</summary>
    private const int PieceLength = 8;

    public static Dictionary<string, long> Count(IEnumerable<string> texts, WordSplit split, int mostWords, int threads, CancellationToken cancel)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var portions = new List<List<string>>();
        var options = new ParallelOptions { CancellationToken = cancel, MaxDegreeOfParallelism = threads > 0 ? threads : Environment.ProcessorCount };
        var characters = Portion;
        foreach (var text in texts)
        {
            if (characters >= Portion)
            {
                if (portions.Count == PortionsAtOnce)
                    Drain(portions, counts, split, mostWords, options);
                portions.Add([]);
                characters = 0;
            }
            portions[^1].Add(text);
            characters += text.Length;
        }
        Drain(portions, counts, split, mostWords, options);
        return counts;
    }

    private static void Drain(List<List<string>> portions, Dictionary<string, long> counts, WordSplit split, int mostWords, ParallelOptions options)
    {
        Parallel.ForEach(portions, options, portion =>
        {
            var found = CountPortion(portion, split);
            // Sums do not depend on their order, so neither does the result.
            lock (counts)
            {
                foreach (var (word, count) in found)
                    CollectionsMarshal.GetValueRefOrAddDefault(counts, word, out _) += count;
            }
        });
        portions.Clear();
        if (counts.Count > mostWords)
            Shrink(counts, mostWords / 2);
    }

    private static Dictionary<string, long> CountPortion(List<string> portion, WordSplit split)
    {
        var counts = new Dictionary<string, long>(StringComparer.Ordinal);
        var bySpan = counts.GetAlternateLookup<ReadOnlySpan<char>>();
        foreach (var text in portion)
        {
            for (var at = 0; at < text.Length;)
            {
                var end = WordSplits.Next(split, text, at);
                CollectionsMarshal.GetValueRefOrAddDefault(bySpan, text.AsSpan(at, end - at), out _)++;
                at = end;
            }
        }
        return counts;
    }

    /// <summary>Down to <paramref name="target"/> words: rare long words are cut into pieces, then the rarest are dropped.</summary>
    private static void Shrink(Dictionary<string, long> counts, int target)
    {
        var rare = Threshold(counts, target);
        foreach (var (word, count) in counts.Where(c => c.Value <= rare && c.Key.Length > PieceLength).ToArray())
        {
            counts.Remove(word);
            for (var at = 0; at < word.Length;)
            {
                var end = Math.Min(at + PieceLength, word.Length);
                if (end < word.Length && char.IsLowSurrogate(word[end]))
                    end--;
                CollectionsMarshal.GetValueRefOrAddDefault(counts, word[at..end], out _) += count;
                at = end;
            }
        }
        if (counts.Count <= target)
            return;
        rare = Threshold(counts, target);
        foreach (var word in counts.Where(c => c.Value <= rare).Select(c => c.Key).ToArray())
            counts.Remove(word);
        counts.TrimExcess();
    }

    /// <summary>The count that at most <paramref name="target"/> words exceed.</summary>
    private static long Threshold(Dictionary<string, long> counts, int target)
    {
        var sorted = counts.Values.ToArray();
        Array.Sort(sorted);
        return sorted[Math.Max(0, sorted.Length - 1 - target)];
    }
}
