namespace Attune.Torch.Losses;

/// <summary>
/// Generalised advantage estimation (Schulman et al., arXiv 1506.02438), of one row from its last token to its first:
/// δ_t = r_t + γ V_{t+1} − V_t, A_t = δ_t + γλ A_{t+1}, with V and A zero behind the last token; return = A + V.
/// </summary>
public static class Gae
{
    /// <param name="rewards">r, T.</param>
    /// <param name="values">V of the state before each token, T.</param>
    /// <param name="gamma">γ.</param>
    /// <param name="lambda">λ.</param>
    /// <param name="advantages">Takes A, T.</param>
    public static void Of(ReadOnlySpan<double> rewards, ReadOnlySpan<double> values, double gamma, double lambda, Span<double> advantages)
    {
        var (nextValue, next) = (0.0, 0.0);
        for (var t = rewards.Length - 1; t >= 0; t--)
        {
            var delta = rewards[t] + gamma * nextValue - values[t];
            next = delta + gamma * lambda * next;
            advantages[t] = next;
            nextValue = values[t];
        }
    }
}
