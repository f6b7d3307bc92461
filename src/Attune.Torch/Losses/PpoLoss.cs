using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Losses;

/// <summary>
/// Proximal policy optimisation (Schulman et al., arXiv 1707.06347), as RLHF uses it (Ouyang et al., arXiv 2203.02155). Means
/// run over real tokens: M of the policy, L of the values, which may be others.
/// </summary>
public static class PpoLoss
{
    // e^20 is far beyond any clip and far below infinity (OpenRLHF): a wild token must not make a NaN of 0 · ∞.
    private const double MostLogRatio = 20;

    /// <summary>mean max(−Aρ, −A clip(ρ, 1 ± ε)), ρ = π/π_old.</summary>
    /// <param name="logProbs_M">ln π.</param>
    /// <param name="old_M">ln π_old.</param>
    /// <param name="advantages_M">A.</param>
    /// <param name="clip">ε.</param>
    public static Tensor Policy(Tensor logProbs_M, Tensor old_M, Tensor advantages_M, double clip)
    {
        using var scope = NewDisposeScope();
        var ratio_M = Ratio(logProbs_M, old_M);
        return maximum(-advantages_M * ratio_M, -advantages_M * ratio_M.clamp(1 - clip, 1 + clip)).mean().MoveToOuterDisposeScope();
    }

    /// <summary>mean ½ max((V − R)², (clip(V, V_old ± ε) − R)²).</summary>
    /// <param name="values_L">V.</param>
    /// <param name="old_L">V_old.</param>
    /// <param name="returns_L">R.</param>
    /// <param name="clip">ε.</param>
    public static Tensor Value(Tensor values_L, Tensor old_L, Tensor returns_L, double clip)
    {
        using var scope = NewDisposeScope();
        var near_L = maximum(minimum(values_L, old_L + clip), old_L - clip);
        return (0.5 * maximum((values_L - returns_L).square(), (near_L - returns_L).square()).mean()).MoveToOuterDisposeScope();
    }

    /// <summary>ρ = e^(ln π − ln π_old).</summary>
    public static Tensor Ratio(Tensor logProbs_M, Tensor old_M)
    {
        using var scope = NewDisposeScope();
        return (logProbs_M - old_M).clamp(-MostLogRatio, MostLogRatio).exp().MoveToOuterDisposeScope();
    }
}
