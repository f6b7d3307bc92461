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

    /// <summary>Adds the pairs of a micro-batch.</summary>
    public void Add(PairLogProbs pairs, double beta)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var (u, v) = (beta * pairs.U, beta * pairs.V);
        _chosen += Sum(u);
        _rejected += Sum(v);
        _accuracy += Sum(u.gt(v));
        _chosenLogProbs += Sum(pairs.Chosen);
        _rejectedLogProbs += Sum(pairs.Rejected);
        _pairs += u.shape[0];
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
