using System.Globalization;
using Attune.Core.Randomness;

namespace Attune.Inference;

/// <summary>Chooses the tokens of one sequence. Its draws come from its own stream, so neighbours in a batch do not matter.</summary>
public sealed class Sampler
{
    private readonly SamplingOptions _options;
    private readonly RandomStream _random;

    /// <param name="options">How to choose.</param>
    /// <param name="sequence">Index of the sequence within its call.</param>
    /// <exception cref="InferenceException">ATT6004: an option that makes no sense.</exception>
    public Sampler(SamplingOptions options, int sequence = 0)
    {
        options.Validate();
        _options = options;
        _random = RandomStream.Of(options.Seed, "sample", sequence.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>The next token.</summary>
    /// <param name="logits">V logits; they are changed.</param>
    /// <param name="previous">Every token so far, the prompt included.</param>
    /// <exception cref="InferenceException">ATT6005: no logit is a finite number.</exception>
    public int Next(Span<float> logits, ReadOnlySpan<int> previous)
    {
        LogitFilters.Penalize(logits, previous, _options);
        var best = Best(logits);
        if (!float.IsFinite(logits[best]))
            throw InferenceException.NoDistribution();
        if (_options.Temperature == 0)
            return best;
        if (_options.KeepsAll)
            return WholeDraw.Token(logits, logits[best], _options.Temperature, _random.NextDouble());
        var kept = LogitFilters.Filter(logits, _options);

        // One draw per token, against the running sum in order of likelihood.
        var total = 0.0;
        foreach (var (_, probability) in kept)
            total += probability;
        var left = _random.NextDouble() * total;
        foreach (var (id, probability) in kept)
        {
            left -= probability;
            if (left < 0)
                return id;
        }
        return kept[^1].Id;
    }

    /// <summary>The index of the largest logit, the first of equals. NaN is never the largest.</summary>
    public static int Best(ReadOnlySpan<float> logits)
    {
        var (best, value) = (0, float.NegativeInfinity);
        for (var i = 0; i < logits.Length; i++)
        {
            if (logits[i] > value)
                (best, value) = (i, logits[i]);
        }
        return best;
    }

    /// <summary>The distribution that a token is drawn from: V probabilities.</summary>
    /// <param name="logits">V logits; not changed.</param>
    /// <param name="options">How to choose.</param>
    /// <param name="previous">Every token so far.</param>
    public static double[] Distribution(ReadOnlySpan<float> logits, SamplingOptions options, ReadOnlySpan<int> previous)
    {
        options.Validate();
        var copy = logits.ToArray();
        LogitFilters.Penalize(copy, previous, options);
        var result = new double[logits.Length];
        if (options.Temperature == 0)
        {
            result[Best(copy)] = 1;
            return result;
        }
        var kept = LogitFilters.Filter(copy, options);
        var total = kept.Sum(k => k.Probability);
        foreach (var (id, probability) in kept)
            result[id] = probability / total;
        return result;
    }
}
