using Attune.Torch.Losses;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Stages;

/// <summary>What a person watches of an update of GRPO, averaged over tokens, whatever micro-batches they came in.</summary>
public sealed class GrpoMeters
{
    private double _clipped, _kl, _entropy, _tokens;
    private bool _hasReference;

    /// <summary>Adds a micro-batch.</summary>
    public void Add(GrpoObjective objective, CompletionTokens tokens, Tensor logProbs_M, Tensor old_M, Tensor? reference_M)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var ratio_M = GrpoLoss.Ratio(objective, tokens, logProbs_M.detach(), old_M);
        var outside_M = objective.Form == "cispo" ? ratio_M.gt(objective.ClipHigh) : ratio_M.lt(1 - objective.ClipLow).logical_or(ratio_M.gt(1 + objective.ClipHigh));
        _clipped += outside_M.to(float64).sum().item<double>();
        _entropy -= logProbs_M.detach().to(float64).sum().item<double>();
        if (reference_M is not null)
            _kl += KlEstimate.K3(logProbs_M.detach(), reference_M).to(float64).sum().item<double>();
        (_tokens, _hasReference) = (_tokens + tokens.Count, _hasReference || reference_M is not null);
    }

    /// <summary>The means.</summary>
    public IEnumerable<KeyValuePair<string, double>> Figures
    {
        get
        {
            yield return new("clip_ratio", _clipped / _tokens);
            yield return new("entropy", _entropy / _tokens);
            if (_hasReference)
                yield return new("kl", _kl / _tokens);
        }
    }
}
