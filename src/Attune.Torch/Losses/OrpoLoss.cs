using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Attune.Torch.Losses;

/// <summary>
/// Odds ratio preference optimisation (Hong, Lee and Thorne, arXiv 2403.07691), without a reference:
/// NLL − β ln σ(ln odds_c − ln odds_r), odds = p/(1 − p) of the mean log-probability of a completion. The NLL is that of
/// prompt and chosen completion together.
/// </summary>
public static class OrpoLoss
{
    /// <summary>The mean over the P pairs of a micro-batch.</summary>
    /// <param name="nll">Mean −ln p over every token of the chosen rows but their first.</param>
    /// <param name="chosen_P">Mean ln p of each chosen completion.</param>
    /// <param name="rejected_P">The same of the rejected.</param>
    /// <param name="beta">β, called λ in the paper.</param>
    public static Tensor Of(Tensor nll, Tensor chosen_P, Tensor rejected_P, double beta)
    {
        using var scope = NewDisposeScope();
        return (nll - beta * logsigmoid(LogOdds(chosen_P) - LogOdds(rejected_P)).mean()).MoveToOuterDisposeScope();
    }

    /// <summary>ln(p/(1 − p)) from ln p.</summary>
    public static Tensor LogOdds(Tensor logProbs_P)
    {
        using var scope = NewDisposeScope();
        return (logProbs_P - (-logProbs_P.exp()).log1p()).MoveToOuterDisposeScope();
    }
}
