using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Stages;

/// <summary>What a person watches of an update of PPO, averaged over tokens (padding there is none: trl#6809).</summary>
public sealed class PpoMeters
{
    private double _policy, _value, _clipped, _kl, _ratio;

    /// <summary>Adds a micro-batch by its share of the update's tokens.</summary>
    public void Add(Tensor logProbs_M, Tensor old_M, double clip, double share, Tensor policyLoss, Tensor valueLoss)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var logRatio_M = (logProbs_M.detach() - old_M).to(float64);
        var ratio_M = logRatio_M.exp();
        _policy += share * policyLoss.item<float>();
        _value += share * valueLoss.item<float>();
        _clipped += share * (ratio_M - 1).abs().gt(clip).to(float64).mean().item<double>();
        _kl += share * 0.5 * logRatio_M.square().mean().item<double>();
        _ratio += share * ratio_M.mean().item<double>();
    }

    /// <summary>TRL's figures.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> Figures =>
    [
        new("loss/policy", _policy),
        new("loss/value", _value),
        new("policy/clipfrac", _clipped),
        new("policy/approxkl", _kl),
        new("policy/ratio", _ratio),
    ];
}
