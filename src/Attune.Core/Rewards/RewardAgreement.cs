namespace Attune.Core.Rewards;

/// <summary>How often a reward orders answers to one prompt as the truth does.</summary>
/// <param name="Right">Pairs that both order alike; a tie of the reward counts as a half.</param>
/// <param name="Pairs">Pairs of one prompt that the truth tells apart.</param>
public readonly record struct RewardAgreement(double Right, long Pairs)
{
    /// <summary>The share of pairs that are ordered alike; NaN without pairs.</summary>
    public double Accuracy => Pairs == 0 ? double.NaN : Right / Pairs;

    /// <summary>Counts the pairs of answers to one prompt.</summary>
    /// <param name="truth">What each answer is worth.</param>
    /// <param name="reward">What the reward gives it.</param>
    /// <param name="prompts">Which prompt each answers.</param>
    public static RewardAgreement Of(IReadOnlyList<double> truth, IReadOnlyList<double> reward, IReadOnlyList<int> prompts)
    {
        var (right, pairs) = (0.0, 0L);
        foreach (var group in Enumerable.Range(0, truth.Count).GroupBy(i => prompts[i]))
        {
            int[] answers = [.. group];
            for (var a = 0; a < answers.Length; a++)
            {
                for (var b = a + 1; b < answers.Length; b++)
                {
                    var (i, j) = (answers[a], answers[b]);
                    if (truth[i] == truth[j])
                        continue;
                    pairs++;
                    right += reward[i] == reward[j] ? 0.5 : reward[i] > reward[j] == truth[i] > truth[j] ? 1 : 0;
                }
            }
        }
        return new(right, pairs);
    }

    /// <summary>Both together.</summary>
    public RewardAgreement Plus(RewardAgreement other) => new(Right + other.Right, Pairs + other.Pairs);
}
