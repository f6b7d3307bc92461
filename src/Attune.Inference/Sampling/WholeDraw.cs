using System.Buffers;
using System.Runtime.Intrinsics;

namespace Attune.Inference;

/// <summary>
/// A draw from all tokens, against the running sum in order of likelihood, without putting them all in order: tokens are
/// gathered in steps of likelihood, and only the step that the draw falls into is sorted. Of 4,096 tokens it took a sampled
/// token of a small model longer to be sorted than to be computed.
/// </summary>
internal static class WholeDraw
{
    // Steps of an eighth of a nat, down to where nothing is ever drawn from; the last holds all below.
    private const int StepsPerNat = 8;
    private const int Steps = 64 * StepsPerNat;

    /// <summary>The token at a share of the whole.</summary>
    /// <param name="logits">V logits.</param>
    /// <param name="best">The largest of them.</param>
    /// <param name="temperature">τ, above 0.</param>
    /// <param name="share">From 0 to 1, the likeliest tokens first.</param>
    public static int Token(ReadOnlySpan<float> logits, float best, double temperature, double share)
    {
        var weights = ArrayPool<double>.Shared.Rent(logits.Length);
        try
        {
            Weigh(logits, best, temperature, weights);
            Span<double> sums = stackalloc double[Steps];
            sums.Clear();
            var scale = StepsPerNat / temperature;
            for (var i = 0; i < logits.Length; i++)
            {
                if (weights[i] > 0)
                    sums[Step(logits[i], best, scale)] += weights[i];
            }
            var left = share * Sum(sums);
            var step = 0;
            for (var next = 0; next < Steps; next++)
            {
                if (sums[next] == 0)
                    continue;
                // Beyond the last, where rounding has left something over, stands the last token.
                step = next;
                if (left < sums[next])
                    break;
                left -= sums[next];
            }
            return At(logits, best, scale, weights, step, left);
        }
        finally
        {
            ArrayPool<double>.Shared.Return(weights);
        }
    }

    private static int At(ReadOnlySpan<float> logits, float best, double scale, double[] weights, int step, double left)
    {
        var inside = new List<(float Turned, int Id)>();
        for (var i = 0; i < logits.Length; i++)
        {
            if (weights[i] > 0 && Step(logits[i], best, scale) == step)
                inside.Add((-logits[i], i));
        }
        inside.Sort(); // likeliest first, of equals the first id
        foreach (var (_, id) in inside)
        {
            left -= weights[id];
            if (left < 0)
                return id;
        }
        return inside[^1].Id;
    }

    private static int Step(float logit, float best, double scale) => (int)Math.Min((best - logit) * scale, Steps - 1);

    /// <summary>e^((logit − best) / τ); 0 for −∞, and for what is no number.</summary>
    private static void Weigh(ReadOnlySpan<float> logits, float best, double temperature, Span<double> weights)
    {
        var (top, by) = (Vector256.Create(best), Vector256.Create(temperature));
        var i = 0;
        for (; i <= logits.Length - Vector256<float>.Count; i += Vector256<float>.Count)
        {
            var (low, high) = Vector256.Widen(Vector256.Create(logits[i..]) - top);
            Vector256.Exp(low / by).CopyTo(weights[i..]);
            Vector256.Exp(high / by).CopyTo(weights[(i + Vector256<double>.Count)..]);
        }
        for (; i < logits.Length; i++)
            weights[i] = Math.Exp((logits[i] - best) / temperature);
    }

    private static double Sum(Span<double> sums)
    {
        var total = 0.0;
        foreach (var sum in sums)
            total += sum;
        return total;
    }
}
