using Attune.Core.Evaluation.Statistics;

namespace Attune.Core.Evaluation;

/// <summary>What a model thought of one row of held-out text.</summary>
/// <param name="Surprise">Σ −ln p over the scored tokens, in nats.</param>
/// <param name="Tokens">How many tokens were scored.</param>
/// <param name="Bytes">UTF-8 bytes of their text.</param>
public readonly record struct ScoredText(double Surprise, int Tokens, long Bytes);

/// <summary>
/// Loss on text that was not trained on: per token (and its exponential, perplexity), and bits per byte, which compares
/// models with different tokenizers. Both are ratios of sums over all rows, so long rows weigh more; intervals come from
/// drawing rows, not tokens, for tokens of one row are right and wrong together.
/// bits per byte = Σ surprise / (ln 2 · Σ bytes), as in The Pile (Gao et al. 2020, section 3.1).
/// </summary>
public static class HeldOutLoss
{
    /// <summary>The rows of a report: loss, perplexity, bits_per_byte.</summary>
    /// <param name="rows">The scored rows; those without a token do not count.</param>
    /// <param name="group">The version's name.</param>
    /// <param name="vocabulary">Size of the vocabulary: what a guess over all tokens would be.</param>
    /// <param name="seed">Seed of the intervals.</param>
    public static IReadOnlyList<ReportRow> Measure(IReadOnlyList<ScoredText> rows, string group, int vocabulary, long seed)
    {
        var scored = rows.Where(r => r.Tokens > 0).ToArray();
        var loss = Row("loss", r => r.Tokens, Math.Log(vocabulary));
        return
        [
            loss,
            loss with { Metric = "perplexity", Value = Math.Exp(loss.Value), Low = Math.Exp(loss.Low), High = Math.Exp(loss.High), Chance = vocabulary, Method = "exp(loss)" },
            Row("bits_per_byte", r => r.Bytes * Math.Log(2), chance: null),
        ];

        ReportRow Row(string metric, Func<ScoredText, double> weight, double? chance)
        {
            var (low, high) = Bootstrap.Interval(scored.Length, drawn => Ratio(drawn.Select(i => scored[i]), weight), seed);
            return new()
            {
                Metric = metric,
                Group = group,
                Value = Ratio(scored, weight),
                Low = low,
                High = high,
                N = scored.Length,
                Chance = chance,
                Method = "ratio of sums; 95% interval by bootstrap over rows",
                Seed = seed,
            };
        }
    }

    private static double Ratio(IEnumerable<ScoredText> rows, Func<ScoredText, double> weight)
    {
        var (surprise, weights) = (0.0, 0.0);
        foreach (var row in rows)
            (surprise, weights) = (surprise + row.Surprise, weights + weight(row));
        return surprise / weights;
    }
}
