using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Losses;

/// <summary>
/// The likelihood of a ranking (Plackett, 1975; Luce, 1959): the best is drawn by softmax over all, the next by softmax over
/// those that are left, and so on. −ln p = −Σ_k [s_k − ln Σ_{j ≥ k} e^{s_j}]. Two items give Bradley–Terry: −ln σ(s₁ − s₂).
/// </summary>
public static class PlackettLuce
{
    /// <param name="scores_S">Scores of the items of all rankings, each ranking's best first, rankings end to end.</param>
    /// <param name="starts">Where each ranking starts, with S at the end.</param>
    /// <returns>−ln p of each ranking.</returns>
    public static Tensor Of(Tensor scores_S, IReadOnlyList<int> starts)
    {
        using var scope = NewDisposeScope();
        var losses = new Tensor[starts.Count - 1];
        for (var r = 0; r < losses.Length; r++)
        {
            var s_K = scores_S.narrow(0, starts[r], starts[r + 1] - starts[r]);
            var left_K = s_K.flip(0).logcumsumexp(0).flip(0);
            losses[r] = (left_K - s_K).sum();
        }
        return stack(losses).MoveToOuterDisposeScope();
    }
}
