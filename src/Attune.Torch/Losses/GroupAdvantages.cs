using Attune.Torch.Optimisers;

namespace Attune.Torch.Losses;

/// <summary>
/// Advantages of the answers to one prompt, from their rewards alone. group: (r − mean)/(sd + 1e-4), sd unbiased (GRPO, Shao
/// et al., arXiv 2402.03300). unscaled: r − mean (Dr. GRPO, Liu et al., arXiv 2503.20783: the sd makes easy and hard prompts
/// count more). rloo: r minus the mean of the others (Ahmadian et al., arXiv 2402.14740).
/// </summary>
public static class GroupAdvantages
{
    private const double Epsilon = 1e-4;

    /// <summary>The ways there are.</summary>
    public static IReadOnlyList<string> Names { get; } = ["group", "unscaled", "rloo"];

    /// <summary>One advantage for each reward of a group of G ≥ 2.</summary>
    /// <exception cref="TrainingException">ATT5101: no way has that name; ATT5206: a group of one has nothing to be compared with.</exception>
    public static double[] Of(string way, ReadOnlySpan<double> rewards)
    {
        if (rewards.Length < 2)
            throw new TrainingException("ATT5206", "A group of one answer has no other to be compared with.") { Field = "samples", Hint = "Give at least 2 samples a prompt; 8 is usual." };
        var (n, mean, squares) = (rewards.Length, 0.0, 0.0);
        foreach (var reward in rewards)
            mean += reward / n;
        foreach (var reward in rewards)
            squares += (reward - mean) * (reward - mean);
        var scale = way switch
        {
            "group" => 1 / (Math.Sqrt(squares / (n - 1)) + Epsilon),
            "unscaled" => 1,
            "rloo" => (double)n / (n - 1), // r − (n·mean − r)/(n − 1)
            _ => throw TrainingException.Unsupported("way to take advantages", way, Names),
        };
        var advantages = new double[n];
        for (var i = 0; i < n; i++)
            advantages[i] = (rewards[i] - mean) * scale;
        return advantages;
    }
}
