using Attune.Torch.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Stages;

/// <summary>
/// What a person watches while a policy learns preferences, averaged over pairs (not over micro-batches: trl#6809).
/// The implicit rewards are β·u and β·v.
/// </summary>
public sealed class PairMeters
{
    /// <summary>Said once where the figures are shown (trl#800).</summary>
    public const string ChosenFalls = "rewards/chosen may fall: DPO raises the margin between the pair, not the chosen answer alone. If it falls far, add --sft-weight 0.1.";

    private double _chosen, _rejected, _accuracy, _chosenLogProbs, _rejectedLogProbs;
    private long _pairs;

    /// <summary>Adds the pairs of a micro-batch, with β·u and β·v as rewards.</summary>
    public void Add(PairLogProbs pairs, double beta)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        Add(beta * pairs.U, beta * pairs.V, pairs.Chosen, pairs.Rejected);
    }

    /// <summary>Adds P pairs: rewards and log-probabilities of the chosen and the rejected.</summary>
    public void Add(Tensor chosenRewards_P, Tensor rejectedRewards_P, Tensor chosen_P, Tensor rejected_P)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        _chosen += Sum(chosenRewards_P);
        _rejected += Sum(rejectedRewards_P);
        _accuracy += Sum(chosenRewards_P.gt(rejectedRewards_P));
        _chosenLogProbs += Sum(chosen_P);
        _rejectedLogProbs += Sum(rejected_P);
        _pairs += chosen_P.shape[0];
    }

    /// <summary>The mean loss over batches of different sizes, without gradients; NaN where there are none.</summary>
    /// <param name="batches">The batches.</param>
    /// <param name="loss">The mean loss of a batch.</param>
    /// <param name="size">What it is a mean over.</param>
    internal static double Mean<T>(IEnumerable<T> batches, Func<T, Tensor> loss, Func<T, int> size)
    {
        using var noGradient = no_grad();
        var (sum, count) = (0.0, 0L);
        foreach (var batch in batches)
        {
            using var scope = NewDisposeScope();
            sum += loss(batch).item<float>() * (double)size(batch);
            count += size(batch);
        }
        return count == 0 ? double.NaN : sum / count;
    }

    /// <summary>The means.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> Figures => _pairs == 0 ? [] :
    [
        new("rewards/chosen", _chosen / _pairs),
        new("rewards/rejected", _rejected / _pairs),
        new("rewards/margins", (_chosen - _rejected) / _pairs),
        new("rewards/accuracies", _accuracy / _pairs),
        new("logps/chosen", _chosenLogProbs / _pairs),
        new("logps/rejected", _rejectedLogProbs / _pairs),
    ];

    private static double Sum(Tensor x) => x.detach().to_type(ScalarType.Float64).sum().item<double>();
}
