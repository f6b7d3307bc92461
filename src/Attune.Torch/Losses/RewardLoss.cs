using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Attune.Torch.Losses;

/// <summary>
/// What a reward model learns from. Pairs: −ln σ(r_c − r_r − m) + c·(r_c + r_r)², Bradley–Terry with a margin (Touvron et al.,
/// arXiv 2307.09288) and centring, which takes away the freedom to add a constant to every reward (Eisenstein et al.,
/// arXiv 2312.09244). Rankings: <see cref="PlackettLuce"/>.
/// </summary>
public static class RewardLoss
{
    /// <summary>The mean over P pairs.</summary>
    /// <param name="chosen_P">r_c.</param>
    /// <param name="rejected_P">r_r.</param>
    /// <param name="margins_P">m, or null for none.</param>
    /// <param name="centring">c; 0 for none.</param>
    public static Tensor OfPairs(Tensor chosen_P, Tensor rejected_P, Tensor? margins_P = null, double centring = 0)
    {
        using var scope = NewDisposeScope();
        var difference_P = chosen_P - rejected_P;
        var loss = -logsigmoid(margins_P is null ? difference_P : difference_P - margins_P).mean();
        return (centring == 0 ? loss : loss + centring * (chosen_P + rejected_P).square().mean()).MoveToOuterDisposeScope();
    }

    /// <summary>The mean over rankings; centring pulls the mean reward of each ranking to zero, and so adds nothing where it is there.</summary>
    /// <param name="scores_S">Rewards, each ranking's best first, rankings end to end.</param>
    /// <param name="starts">Where each ranking starts, with S at the end.</param>
    /// <param name="centring">c: of a pair the same as <see cref="OfPairs"/>.</param>
    public static Tensor OfRankings(Tensor scores_S, IReadOnlyList<int> starts, double centring = 0)
    {
        using var scope = NewDisposeScope();
        var loss = PlackettLuce.Of(scores_S, starts).mean();
        if (centring != 0)
        {
            var sums = Enumerable.Range(0, starts.Count - 1).Select(r => 2 * scores_S.narrow(0, starts[r], starts[r + 1] - starts[r]).mean());
            loss += centring * stack([.. sums]).square().mean();
        }
        return loss.MoveToOuterDisposeScope();
    }
}
