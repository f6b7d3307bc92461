using System.Buffers;

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
            Span<double> sums = stackalloc double[Steps];
            sums.Clear();
            for (var i = 0; i < logits.Length; i++)
            {
                weights[i] = Math.Exp((logits[i] - best) / temperature);
                if (weights[i] > 0)
                    sums[Step(logits[i], best, temperature)] += weights[i];
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
            return At(logits, best, temperature, weights, step, left);
        }
        finally
        {
            ArrayPool<double>.Shared.Return(weights);
        }
    }

    private static int At(ReadOnlySpan<float> logits, float best, double temperature, double[] weights, int step, double left)
    {
        var inside = new List<(double Weight, int Id)>();
        for (var i = 0; i < logits.Length; i++)
        {
            if (weights[i] > 0 && Step(logits[i], best, temperature) == step)
                inside.Add((-weights[i], i));
        }
        inside.Sort();
        foreach (var (weight, id) in inside)
        {
            left += weight;
            if (left < 0)
                return id;
        }
        return inside[^1].Id;
    }

    private static int Step(float logit, float best, double temperature) => (int)Math.Min((best - logit) / temperature * StepsPerNat, Steps - 1);

    private static double Sum(Span<double> sums)
    {
        var total = 0.0;
        foreach (var sum in sums)
            total += sum;
        return total;
    }
}
