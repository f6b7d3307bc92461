using System.Runtime.InteropServices;

namespace Attune.Inference;

/// <summary>What acts between the logits and the draw, with the edge cases of transformers' logits processors.</summary>
internal static class LogitFilters
{
    /// <summary>Repetition penalty and no-repeat n-gram, in place.</summary>
    public static void Penalize(Span<float> logits, ReadOnlySpan<int> previous, SamplingOptions options)
    {
        if (options.RepetitionPenalty != 1)
        {
            var penalty = (float)options.RepetitionPenalty;
            var seen = new HashSet<int>(previous.Length);
            foreach (var id in previous)
            {
                if (seen.Add(id))
                    logits[id] = logits[id] < 0 ? logits[id] * penalty : logits[id] / penalty;
            }
        }
        var n = options.NoRepeatNgramSize;
        if (n <= 0 || previous.Length + 1 < n)
            return;
        var tail = previous[(previous.Length - n + 1)..];
        for (var i = 0; i + n <= previous.Length; i++)
        {
            if (previous.Slice(i, n - 1).SequenceEqual(tail))
                logits[previous[i + n - 1]] = float.NegativeInfinity;
        }
    }

    /// <summary>Temperature and the cuts: the tokens that are left, likeliest first, with probabilities in proportion.</summary>
    public static List<(int Id, double Probability)> Filter(ReadOnlySpan<float> logits, SamplingOptions options)
    {
        var best = logits[Sampler.Best(logits)];
        var floor = options.TopK > 0 && options.TopK < logits.Length ? KthLargest(logits, options.TopK) : float.NegativeInfinity;
        // Equals of the k-th stay, so that no order of ids decides.
        var kept = new List<(int Id, double Probability)>();
        foreach (var id in LikeliestFirst(logits, floor))
            kept.Add((id, Math.Exp((logits[id] - best) / options.Temperature)));
        Normalize(kept);
        if (options.TopP < 1)
            CutTail(kept, options.TopP);
        if (options.MinP > 0)
        {
            var least = options.MinP * kept[0].Probability;
            kept.RemoveAll(k => k.Probability < least);
            Normalize(kept);
        }
        if (options.TypicalP < 1)
            KeepTypical(kept, options.TypicalP);
        return kept;
    }

    // Likeliest first, of equals the first id: the logit's bits in an order of whole numbers, turned round, above the id.
    private static int[] LikeliestFirst(ReadOnlySpan<float> logits, float floor)
    {
        var (keys, count) = (new ulong[logits.Length], 0);
        for (var i = 0; i < logits.Length; i++)
        {
            if (logits[i] < floor || float.IsNegativeInfinity(logits[i]) || float.IsNaN(logits[i]))
                continue;
            var bits = BitConverter.SingleToInt32Bits(logits[i] + 0f); // −0 is 0
            var ascending = (uint)bits ^ (bits < 0 ? uint.MaxValue : 0x80000000);
            keys[count++] = (ulong)~ascending << 32 | (uint)i;
        }
        var sorted = keys.AsSpan(0, count);
        sorted.Sort();
        var ids = new int[count];
        for (var i = 0; i < count; i++)
            ids[i] = (int)(uint)sorted[i];
        return ids;
    }

    /// <summary>The smallest head whose sum reaches <paramref name="mass"/>.</summary>
    private static void CutTail(List<(int Id, double Probability)> kept, double mass)
    {
        // A token goes where what it and all less likely ones hold is at most 1 − mass.
        var tail = 0.0;
        var count = kept.Count;
        while (count > 1 && tail + kept[count - 1].Probability <= 1 - mass)
            tail += kept[--count].Probability;
        kept.RemoveRange(count, kept.Count - count);
        Normalize(kept);
    }

    private static void KeepTypical(List<(int Id, double Probability)> kept, double mass)
    {
        var entropy = -kept.Sum(k => k.Probability * Math.Log(k.Probability));
        var byOddness = kept.Select(k => (k.Id, k.Probability, Oddness: Math.Abs(-Math.Log(k.Probability) - entropy)))
            .OrderBy(k => k.Oddness).ToArray();
        var (sum, last) = (0.0, 0);
        while (last < byOddness.Length - 1 && (sum += byOddness[last].Probability) < mass)
            last++;
        kept.Clear();
        kept.AddRange(byOddness.Where(k => k.Oddness <= byOddness[last].Oddness).Select(k => (k.Id, k.Probability)));
        kept.Sort((a, b) => b.Probability.CompareTo(a.Probability) is not 0 and var order ? order : a.Id.CompareTo(b.Id));
    }

    private static void Normalize(List<(int Id, double Probability)> kept)
    {
        var total = kept.Sum(k => k.Probability);
        foreach (ref var k in CollectionsMarshal.AsSpan(kept))
            k.Probability /= total;
    }

    private static float KthLargest(ReadOnlySpan<float> logits, int k)
    {
        // A heap of the k largest: k is small where it is used, and V may be large.
        var heap = new PriorityQueue<int, float>(k + 1);
        foreach (var logit in logits)
        {
            if (heap.Count < k)
                heap.Enqueue(0, logit);
            else if (heap.TryPeek(out _, out var least) && logit > least)
                heap.EnqueueDequeue(0, logit);
        }
        heap.TryPeek(out _, out var floor);
        return floor;
    }
}
