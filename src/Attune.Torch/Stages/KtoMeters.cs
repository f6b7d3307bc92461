using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Stages;

/// <summary>What a person watches in KTO: each kind of answer averaged over its own answers, whatever batches they came in.</summary>
public sealed class KtoMeters
{
    private readonly double[] _rewards = new double[2], _logProbs = new double[2];
    private readonly long[] _rows = new long[2];
    private double _kl;
    private long _batches;

    /// <summary>Adds the answers of a micro-batch.</summary>
    /// <param name="logProbs_S">Σ ln p.</param>
    /// <param name="rewards_S">β·u.</param>
    /// <param name="desirable">The labels.</param>
    /// <param name="z">The estimated KL.</param>
    public void Add(Tensor logProbs_S, Tensor rewards_S, bool[] desirable, double z)
    {
        using var scope = NewDisposeScope();
        var (logProbs, rewards) = (logProbs_S.detach().cpu().data<float>().ToArray(), rewards_S.detach().cpu().data<float>().ToArray());
        for (var i = 0; i < desirable.Length; i++)
        {
            var kind = desirable[i] ? 0 : 1;
            _rewards[kind] += rewards[i];
            _logProbs[kind] += logProbs[i];
            _rows[kind]++;
        }
        _kl += z;
        _batches++;
    }

    /// <summary>The means; of a kind that no answer had, none.</summary>
    public IReadOnlyList<KeyValuePair<string, double>> Figures
    {
        get
        {
            var figures = new List<KeyValuePair<string, double>>();
            if (_batches > 0)
                figures.Add(new("kl", _kl / _batches));
            foreach (var (kind, name) in new[] { (0, "chosen"), (1, "rejected") })
            {
                if (_rows[kind] == 0)
                    continue;
                figures.Add(new($"rewards/{name}", _rewards[kind] / _rows[kind]));
                figures.Add(new($"logps/{name}", _logProbs[kind] / _rows[kind]));
            }
            if (_rows[0] > 0 && _rows[1] > 0)
                figures.Add(new("rewards/margins", _rewards[0] / _rows[0] - _rewards[1] / _rows[1]));
            return figures;
        }
    }
}
